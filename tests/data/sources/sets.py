"""Tiny sets in GroupLens's formats, made up here."""

import hashlib
import io
import zipfile

TITLES = {1: "Amélie (2001)", 2: "Big Sleep, The (1946)", 3: "unknown", 9: "Fargo (1996)"}
# user, film, stars, time; nobody rated film 9.
RATINGS = [(1, 2, 4, 30), (2, 1, 5, 10), (1, 1, 3, 20), (3, 3, 2, 20)]
USERS_100K = "1|24|M|technician|85711\n2|53|F|other|94043\n3|23|M|writer|T8H1N\n"
USERS_1M = "1::F::1::10::48067\n2::M::56::16::70072\n3::M::25::15::55117\n"


def md5(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def u_data(rows=RATINGS):
    return "".join("\t".join(map(str, row)) + "\n" for row in rows).encode()


def u_item():
    # The first flag is "unknown", the sixth "Comedy", the ninth "Drama".
    flags = {1: "5,8", 2: "8", 3: "0", 9: ""}
    lines = []
    for film, title in TITLES.items():
        shown = ["1" if str(n) in flags[film].split(",") else "0" for n in range(19)]
        lines.append(f"{film}|{title}|01-Jan-1995||http://x|{'|'.join(shown)}\n")
    return "".join(lines).encode("latin-1")


def files_100k():
    return {"u.data": u_data(), "u.item": u_item(), "u.user": USERS_100K.encode()}


def files_dat(*, encoding="latin-1", users=True):
    genres = {1: "Comedy|Drama", 2: "Drama", 3: "(no genres listed)", 9: "Crime"}
    ratings = "".join("::".join(map(str, row)) + "\n" for row in RATINGS)
    films = "".join(f"{film}::{title}::{genres[film]}\n" for film, title in TITLES.items())
    files = {"ratings.dat": ratings.encode(), "movies.dat": films.encode(encoding)}
    return files | ({"users.dat": USERS_1M.encode()} if users else {})


def files_csv():
    ratings = "".join(",".join(map(str, row)) + "\r\n" for row in RATINGS)
    films = "".join(f'{film},"{title}",Drama\r\n' for film, title in TITLES.items())
    return {
        "ratings.csv": f"userId,movieId,rating,timestamp\r\n{ratings}".encode(),
        "movies.csv": f"movieId,title,genres\r\n{films}".encode(),
    }


FOLDERS = {"100k": "ml-100k", "1m": "ml-1m", "10m": "ml-10M100K", "latest-small": "ml-latest-small"}
FOLDERS |= {name: f"ml-{name}" for name in ("20m", "25m", "32m")}


def files_of(name):
    """The files of a set by its name."""
    if name == "100k":
        return files_100k()
    if name == "1m":
        return files_dat()
    return files_dat(encoding="utf-8", users=False) if name == "10m" else files_csv()


def zipped(files, folder=""):
    """A zip of files, in a folder or not."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"{folder}/{name}" if folder else name, content)
    return buffer.getvalue()


def write_files(directory, files):
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (directory / name).write_bytes(content)
    return directory


def recbole_wheel():
    """A wheel with the tiny 100K set in RecBole's own format, quirks included."""
    inter = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n" + u_data().decode()
    item = (
        "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
        "1\tAmélie\t2001\tComedy Drama\n2\tBig Sleep, The\t1946\tDrama\n"
        "3\tunkonwn\tunkonwn\tunknown\n9\tLand Before Time III (1995)\tV\tAnimation Children's\n"
    )
    user = "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n"
    user += USERS_100K.replace("|", "\t")
    base = "recbole/dataset_example/ml-100k/ml-100k"
    info = "recbole-1.2.1.dist-info"
    return zipped(
        {
            f"{base}.inter": inter.encode(),
            f"{base}.item": item.encode(),
            f"{base}.user": user.encode(),
            f"{info}/METADATA": b"Metadata-Version: 2.1\nName: recbole\nVersion: 1.2.1\n",
            f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/RECORD": b"",
        }
    )
