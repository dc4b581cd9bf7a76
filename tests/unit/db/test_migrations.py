"""Every database has come the same way: migrations form one line."""

from yoyo import read_migrations

from db.migrate import MIGRATIONS


def test_each_migration_depends_on_the_one_before_it_and_on_no_other() -> None:
    migrations = list(read_migrations(str(MIGRATIONS)))
    names = sorted(path.stem for path in MIGRATIONS.glob("*.sql"))
    assert [{before.id for before in one.depends} for one in migrations] == [set(), *({name} for name in names[:-1])]
    assert [one.id for one in migrations] == names
