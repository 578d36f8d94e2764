from indexer.catalog.database import migrate
from indexer.catalog.database.revisions import is_current, newest_revision
from indexer.catalog.database.session import Catalog


def test_the_newest_revision_is_the_head_of_the_migrations():
    assert newest_revision() == migrate.head()


def test_a_database_is_current_from_its_upgrade_on(tmp_path):
    catalog = Catalog(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    assert not is_current(catalog)
    migrate.upgrade(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    assert is_current(catalog)
    migrate.downgrade(f"sqlite:///{tmp_path / 'catalog.sqlite'}", "-1")
    assert not is_current(catalog)


def test_an_empty_database_is_not_current(tmp_path):
    (tmp_path / "catalog.sqlite").touch()
    assert not is_current(Catalog(f"sqlite:///{tmp_path / 'catalog.sqlite'}"))
