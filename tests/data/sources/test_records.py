import pytest

from matinee.data.sources import check_data, load_catalog, load_data

HEADER = "userId,movieId,rating,comment\n"


def lines_of(path):
    return [problem.line for problem in check_data(path)]


@pytest.fixture
def write(tmp_path):
    def write_text(*lines, name="own.csv", header=HEADER):
        path = tmp_path / name
        path.write_text(header + "".join(f"{line}\n" for line in lines), newline="")
        return path

    return write_text


@pytest.mark.parametrize("at", [0, 1, 250, 499])
def test_an_unclosed_quote_costs_its_own_row_alone(write, at):
    rows = [f"{n},1,3,good" for n in range(500)]
    rows[at] = f'{at},1,3,"good'
    path = write(*rows)
    (problem,) = check_data(path)
    assert problem.line == at + 2
    assert f"a quote opened in line {at + 2} is not closed" in problem.reason
    ratings, _ = load_data(path, on_bad_rows="skip")
    assert len(ratings) == 499
    assert f'{at},1,3,"""good' in path.with_name("own.rejected.csv").read_text()


@pytest.mark.parametrize(
    ("rows", "bad"),
    [
        (['1,1,5,"good', "1,2,4,bad", '2,1,3,"meh', "2,2,1,x"], [2, 4]),
        (['1,1,5,"good', "1,2,4,bad", '2,1,3,meh"', "2,2,1,x"], [2]),
        (['1,1,5,"good', '1,2,4,"bad"', "2,2,1,x"], [2]),
        (['1,1,5,"good', '1,2,4,""', "2,2,1,x"], [2]),
        (['"1","1","5","good', '"1","2","4","bad"'], [2]),
        (['1,1,5,"ok"', '2,2,1,"x'], [3]),
    ],
)
def test_a_quote_closed_by_a_later_one_is_found(write, rows, bad):
    path = write(*rows)
    assert lines_of(path) == bad
    ratings, _ = load_data(path, on_bad_rows="skip")
    assert len(ratings) == len(rows) - len(bad)


@pytest.mark.parametrize(
    "comment",
    ["one\ntwo", "one, two\nthree, four", "a\nb,c,d,e\nf", "a\n\nb", 'he said ""no""\nagain'],
)
def test_a_comment_over_several_lines_is_kept(write, comment):
    path = write("1,1,5,x", f'1,2,4,"{comment}"', "2,2,z,y")
    last = 4 + comment.count("\n")
    assert lines_of(path) == [last]
    assert len(load_data(path, on_bad_rows="skip")[0]) == 2


def test_text_after_a_closing_quote_is_taken(write):
    assert lines_of(write('1,1,5,"ok" he said', "1,2,4,x")) == []


def test_a_field_without_end_is_a_bad_row(write):
    path = write("1,1,5,x", "1,2,4," + "y" * 200_000, '1,3,4,"' + "y" * 200_000, "1,4,4,x")
    assert len(load_data(path, on_bad_rows="skip")[0]) >= 2


def test_an_unclosed_quote_in_films_costs_one_film(write):
    rows = ['1,a,"Drama', "2,b,x", '3,c,"y', "4,d,z"]
    path = write(*rows, name="films.csv", header="movieId,title,genres\n")
    assert load_catalog(path, on_bad_rows="skip").titles == ["b", "d"]
    path = write('1,"a', 'part two",x', "2,b,x", name="f.csv", header="movieId,title,genres\n")
    assert len(load_catalog(path)) == 2
