-- depends: 0035.visits
-- half: expand

-- In which language people are written to. NULL of a person: as their tenant; of an operator: as the browser wishes.
ALTER TABLE users ADD COLUMN language text CHECK (char_length(language) <= 16);
ALTER TABLE tenants ADD COLUMN language text NOT NULL DEFAULT 'en' CHECK (char_length(language) <= 16);
