import polars as pl


def test_batch_writes_a_list_for_everybody(run, model, tmp_path):
    out = tmp_path / "lists"
    done = run("batch", "--model", model, "--out", out, "--k", 7, "--shard-users", 100)
    assert (done.code, done.out) == (0, "")
    assert f"lists of 120 users in 2 files at {out}" in done.err
    assert len(pl.read_parquet(out / "*.parquet")) == 7 * 120
    again = run("batch", "--model", model, "--out", out, "--k", 7, "--shard-users", 100, "--json")
    assert again.json == {"lists": str(out), "users": 120, "files": 2, "kept": 2}


def test_batch_shows_what_recommend_shows(run, model, tmp_path):
    (tmp_path / "users.txt").write_text("42\n7\n\n42\n")
    out = tmp_path / "lists"
    done = run("batch", "--model", model, "--out", out, "--users", tmp_path / "users.txt", "--k", 5)
    assert done.code == 0
    frame = pl.read_parquet(out / "*.parquet")
    assert frame["user_id"].unique(maintain_order=True).to_list() == [7, 42]
    shown = run("recommend", "--model", model, "--user", 42, "-k", 5, "--json").json
    expected = [int(film["movie_id"]) for film in shown["recommendations"]]
    assert frame.filter(user_id=42)["movie_id"].to_list() == expected


def test_batch_refuses_what_it_cannot_do(run, model, tmp_path):
    common = ("batch", "--model", model, "--out", tmp_path / "lists")
    unknown = tmp_path / "unknown.txt"
    unknown.write_text("42\n999\n")
    for words, code, named in (
        (("--engine", "spark"), 2, "expected local or ray"),
        (("--address", "auto"), 2, "without --engine ray"),
        (("--users", tmp_path / "none.txt"), 4, "none.txt cannot be read"),
        (("--users", unknown), 4, "user id 999"),
    ):
        done = run(*common, *words)
        assert (done.code, named in done.err) == (code, True)
    assert not (tmp_path / "lists").exists()
