"""Tables and titles name the same model."""

from matinee.report.models import models_of
from matinee.report.tables import having
from tests.report.models import evaluated, some_models


def test_of_equal_models_the_first_is_the_one_that_leads(split, catalog):
    lists = some_models(split)["near"]
    evaluation = evaluated(split, catalog, {"one": lists, "two": lists})
    models = models_of(evaluation)
    for given in (models, models[::-1]):
        assert [m.name for m in having(evaluation, given, "hr@10")] == ["one", "two"]
        assert evaluation.leaders("hr@10") == ["one", "two"]
