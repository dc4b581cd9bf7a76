-- depends: 0023.ends
-- half: expand

-- What a message costs, as the operator has uploaded it: nobody's rows, read by all. A card holds from `valid_from` (the
-- first of a month) until the next one of its currency.
CREATE TABLE rate_cards (
    currency text NOT NULL,
    valid_from date NOT NULL,
    uploaded_at timestamptz NOT NULL DEFAULT now(),
    uploaded_by text NOT NULL,
    PRIMARY KEY (currency, valid_from)
);
CREATE TABLE rates (
    currency text NOT NULL,
    valid_from date NOT NULL,
    -- * stands for all countries without a rate of their own
    country text NOT NULL,
    category text NOT NULL,
    market text NOT NULL,
    amount numeric NOT NULL,
    PRIMARY KEY (currency, valid_from, country, category),
    FOREIGN KEY (currency, valid_from) REFERENCES rate_cards ON DELETE CASCADE
);

-- When WhatsApp was last asked how much it takes of a line's number at most (db/tenants/rate_caps.py).
ALTER TABLE lines ADD COLUMN number_asked_at timestamptz NOT NULL DEFAULT '-infinity';
CREATE INDEX lines_number_asked ON lines (number_asked_at) WHERE status = 'active';
GRANT SELECT ON rate_cards, rates TO relay_tenant;
