"""What can be told from the source and the programs without running them."""
import json
import os
import re
import shlex
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from house import BUILD, MONSPOOL, MONSPOOLD, RECEIVER, ROOT, environment

# Includes go downward: whom each shelf may see.
SHELVES = {
    "base": {"base"},
    "queue": {"base", "queue"},
    "protocol": {"base", "protocol"},
    "forward": {"base", "queue", "protocol", "forward"},
}
# A library's header, and the only places that may include it.
KEEPERS = {
    r"sqlite3\.h": ("spool/queue/", "spool/monspool.c", "tests/"),
    r"curl/.*": ("spool/forward/", "tests/"),
    r"ev\.h": ("spool/forward/", "tests/"),
    r"openssl/.*": ("spool/protocol/", "spool/forward/", "cli/receiver", "tests/"),
    r"microhttpd\.h": ("cli/receiver", "tests/"),
}
# What a program may link by name (DT_NEEDED).
LIBC = {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "libpthread.so.0"}
WRITERS = {"libsqlite3.so.0", "libcjson.so.1"} | LIBC
LINKS = {
    MONSPOOL: WRITERS | {"libsmartcols.so.1", "libinih.so.1", "libcsv.so.3"},
    MONSPOOLD: WRITERS | {"libinih.so.1", "libcurl.so.4", "libcrypto.so.3",
                          "libev.so.4", "libsystemd.so.0", "libmicrohttpd.so.12"},
    RECEIVER: LIBC | {"libcjson.so.1", "libmicrohttpd.so.12", "libcrypto.so.3"},
    BUILD / "libmonspool.so": WRITERS,
}
SANITIZERS = re.compile(r"lib(a|ub|t)san\.so|libclang_rt")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|("(?:\\.|[^"\\\n])*")', re.DOTALL)


def sources(*suffixes, folders=("spool", "cli", "tests")):
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*")
                  if path.suffix in suffixes and path.is_file())


def name(path):
    return str(path.relative_to(ROOT))


def code(path):
    """The text without comments; strings stay."""
    return COMMENT.sub(lambda found: found.group(1) or " ", path.read_text())


def assert_none(found):
    assert not found, "\n" + "\n".join(found)


C_FILES = sources(".c", ".h")


def test_there_is_something_to_look_at():
    assert len(C_FILES) > 20


def test_includes_go_downward_only():
    wrong = []
    for path in sources(".c", ".h", folders=["spool"]):
        shelf = path.parent.name
        for quote, header in INCLUDE.findall(path.read_text()):
            head = header.split("/")[0] if "/" in header else None
            if ".." in header or (quote == "<" and head in SHELVES) or \
                    (quote == '"' and head and shelf in SHELVES and
                     head not in SHELVES[shelf]):
                wrong.append(f"{name(path)}: {header}")
    assert_none(wrong)


@pytest.mark.parametrize("header", KEEPERS)
def test_a_library_has_one_user(header):
    wrong = [name(path) for path in C_FILES
             for _, included in INCLUDE.findall(path.read_text())
             if re.fullmatch(header, included)
             and not name(path).startswith(KEEPERS[header])]
    assert_none(wrong)


def test_only_one_function_checkpoints():
    """contract.md H2: guarded checkpoints only, from one place."""
    users = {name(path) for path in sources(".c", ".h", ".sql",
                                            folders=["spool", "cli", "schema"])
             if re.search(r"wal_checkpoint", code(path), re.IGNORECASE)}
    assert users == {"spool/queue/checkpoint.c"}


def test_sql_is_never_glued():
    """contract.md S10.  A PRAGMA takes no parameters, so it is no such text."""
    call = re.compile(r"\b(?:\w*printf|text_addf|text_add)\s*\(([^;]*);", re.DOTALL)
    sql = re.compile(r'"[^"]*\b(SELECT .* FROM|INSERT INTO|UPDATE \w+ SET|DELETE FROM'
                     r"|WHERE|ORDER BY)\b")
    wrong = [f"{name(path)}: {arguments.split(chr(10))[0]}"
             for path in sources(".c", folders=["spool", "cli"])
             for arguments in call.findall(code(path))
             if sql.search(arguments)]
    assert_none(wrong)


def test_no_function_is_longer_than_sixty_lines():
    long = []
    for path in sources(".c", folders=["spool", "cli"]):
        begun = None
        for number, line in enumerate(path.read_text().split("\n"), 1):
            if line == "{":
                begun = number
            elif line == "}" and begun:
                if number - begun > 60:
                    long.append(f"{name(path)}:{begun}: {number - begun} lines")
                begun = None
    assert_none(long)


def test_nothing_is_left_for_later():
    mark = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
    assert_none([name(path) for path in sources(
        ".c", ".h", ".sql", ".py", ".sh", ".cmake",
        folders=["spool", "cli", "schema", "conf", "tests"])
        if mark.search(path.read_text())])


def test_sources_are_in_shape():
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", *C_FILES],
                          capture_output=True, text=True)
    wrong = sorted(set(re.findall(r"^(\S+?):\d+:", done.stderr, re.MULTILINE)))
    assert_none([os.path.relpath(path, ROOT) for path in wrong])


def other_compiler(command):
    """A compile command for the compiler that did not build this."""
    words = shlex.split(command)
    other = "gcc" if "clang" in words[0] else "clang"
    del words[words.index("-o"):words.index("-o") + 2]
    words.remove("-c")
    words = [word for word in words if not word.startswith(("-fsanitize", "-fno-sanitize"))]
    return [other, "-fsyntax-only", "-Werror", *words[1:]]


def test_the_other_compiler_finds_nothing():
    entries = json.loads((BUILD / "compile_commands.json").read_text())

    def complaint(entry):
        return subprocess.run(other_compiler(entry["command"]), cwd=entry["directory"],
                              capture_output=True, text=True).stderr

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [text for text in pool.map(complaint, entries) if text]
    assert entries and "".join(found) == ""


def needed(program):
    done = subprocess.run(["readelf", "-d", program], capture_output=True, text=True,
                          check=True)
    return set(re.findall(r"\(NEEDED\).*\[(.+)\]", done.stdout))


@pytest.mark.parametrize("program", LINKS, ids=lambda path: path.name)
def test_links_no_more_than_it_says(program):
    if program.name.endswith(".so") and not program.exists():
        pytest.skip("SKIP libmonspool: not built yet")
    libraries = {library for library in needed(program) if not SANITIZERS.match(library)}
    assert "libc.so.6" in libraries
    assert libraries <= LINKS[program]


def headers():
    """All of the system's headers that the build has read."""
    deps = subprocess.run(["ninja", "-C", BUILD, "-t", "deps"], capture_output=True,
                          text=True, check=True).stdout
    return sorted({os.path.realpath(path) for path in
                   re.findall(r"^    (/usr/\S+)$", deps, re.MULTILINE)})


def packages_of(paths):
    done = subprocess.run(["dpkg-query", "-S", *paths], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {re.split("[:,]", line)[0] for line in done.stdout.splitlines()}


def with_dependencies(names):
    """These packages and what comes with them, as dpkg knows it."""
    form = "${Package}\t${Pre-Depends}, ${Depends}\n"
    listing = subprocess.run(["dpkg-query", "-W", "-f", form], capture_output=True,
                             text=True, check=True).stdout
    needs = {name: re.findall(r"(?:^|[,|])\s*([a-z0-9][a-z0-9.+-]*)", rest)
             for name, rest in (line.split("\t") for line in listing.splitlines())}
    found, left = set(), list(names)
    while left:
        name = left.pop()
        if name in needs and name not in found:
            found.add(name)
            left += needs[name]
    return found


def test_every_header_is_of_a_package_that_build_deps_installs():
    listed = subprocess.run([ROOT / "conf/build-deps", "--list"], capture_output=True,
                            text=True, check=True).stdout.split()
    used = packages_of(headers())
    assert used >= {"libc6-dev", "libsqlite3-dev"}
    assert used <= with_dependencies(listed)

def start_ms(program, *args):
    begun = time.perf_counter()
    subprocess.run([str(program), *args], stdout=subprocess.DEVNULL, check=True,
                   env=environment())
    return (time.perf_counter() - begun) * 1000


def test_the_writer_starts_like_an_empty_process():
    """interface.md 10.2; the fastest of many, since others run beside us."""
    if any(SANITIZERS.match(library) for library in needed(MONSPOOL)):
        pytest.skip("SKIP start: a sanitizer's start is slow")
    rounds = [(start_ms("/bin/true"), start_ms(MONSPOOL, "--version")) for _ in range(40)]
    empty, ours = (min(times) for times in zip(*rounds))
    assert ours < 2 * empty + 2
