"""The installed library: found, linked and used as a stranger would."""
import os
import re
import shutil
import subprocess

import pytest

from house import BUILD, ROOT, environment

EXAMPLE = ROOT / "tests/install/example.c"


def run(*args, **how):
    done = subprocess.run([str(arg) for arg in args], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=300, **how)
    assert done.returncode == 0, (args, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture(scope="module")
def cache():
    """What the build was configured with."""
    text = (BUILD / "CMakeCache.txt").read_text()
    return dict(re.findall(r"^(\w+):\w+=(.*)$", text, re.M))


@pytest.fixture(scope="module")
def flags(cache):
    """The sanitizers of the build, which its users need as well."""
    words = " ".join(cache.get(name, "") for name in (
        "CMAKE_C_FLAGS", "CMAKE_C_FLAGS_" + cache["CMAKE_BUILD_TYPE"].upper())).split()
    return [word for word in words if word.startswith("-fsanitize") or word == "--coverage"]


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """The library's part of the installation, in a prefix of its own."""
    prefix = tmp_path_factory.mktemp("prefix")
    run("cmake", "--install", BUILD, "--prefix", prefix,
        "--component", "library")
    return prefix


@pytest.fixture(scope="module")
def libdir(prefix):
    [link] = prefix.rglob("libmonspool.so")
    return link.parent


def use(program, tmp_path, libdir=None):
    extra = {"LD_LIBRARY_PATH": str(libdir)} if libdir else {}
    queue = tmp_path / "spool" / "queue.db"
    out = run(program, queue, tmp_path / "shop.db", 20, env=environment(**extra))
    assert "queued, metric not acceptable, queued" in out
    assert re.search(r"libmonspool \d+\.\d+\.\d+: 3 accepted, 3 pending", out)
    rows = run("sqlite3", tmp_path / "shop.db", "SELECT count(*) FROM sale;",
               "SELECT count(*) FROM monspool_outbox")
    assert rows.split() == ["18", "18"]


def configure(libdir):
    return environment(PKG_CONFIG_PATH=str(libdir / "pkgconfig"))


@pytest.mark.parametrize("standard", ["c11", "gnu17"])
def test_pkg_config_finds_it(standard, prefix, libdir, flags, cache, tmp_path):
    # the prefix that was configured is not the one installed to
    words = run("pkg-config", f"--define-variable=prefix={prefix}", "--cflags", "--libs", "monspool",
                "sqlite3", env=configure(libdir)).split()
    program = tmp_path / "example"
    run(cache["CMAKE_C_COMPILER"], f"-std={standard}", "-Wall", "-Wextra", "-Werror",
        *flags, "-o", program, EXAMPLE, *words)
    use(program, tmp_path, libdir)


def test_pkg_config_tells_what_a_static_program_needs(prefix, libdir, flags, cache,
                                                      tmp_path):
    words = run("pkg-config", f"--define-variable=prefix={prefix}", "--static", "--cflags", "--libs",
                "monspool", env=configure(libdir)).split()
    words = [str(libdir / "libmonspool.a") if word == "-lmonspool" else word
             for word in words]
    program = tmp_path / "example"
    run(cache["CMAKE_C_COMPILER"], *flags, "-o", program, EXAMPLE, *words)
    use(program, tmp_path)


@pytest.mark.parametrize("kind", ["shared", "static"])
def test_find_package_finds_it(kind, prefix, libdir, flags, cache, tmp_path):
    folder = tmp_path / "build"
    run("cmake", "-S", ROOT / "tests/install", "-B", folder, "-G", "Ninja",
        f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_C_FLAGS={' '.join(flags)}",
        f"-DCMAKE_C_COMPILER={cache['CMAKE_C_COMPILER']}")
    run("cmake", "--build", folder, "--target", f"example_{kind}")
    use(folder / f"example_{kind}", tmp_path)


def test_the_header_is_c11_and_cxx17(prefix, tmp_path):
    source = ("#include <monspool.h>\n"
              "msp_open_opts options = MSP_OPEN_OPTS_INIT;\n"
              "msp_metric metric = MSP_METRIC_INIT;\n"
              "msp_stats stats = MSP_STATS_INIT;\n"
              "int main(void) { return msp_check_version() ? 0 : 1; }\n")
    strict = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only",
              f"-I{prefix / 'include'}"]
    for compiler, language, standards in (("gcc", "c", ("c11", "c17")),
                                          ("g++", "c++", ("c++17", "c++20")),
                                          ("clang", "c", ("c11",)),
                                          ("clang++", "c++", ("c++17",))):
        if not shutil.which(compiler):
            continue
        for standard in standards:
            run(compiler, f"-std={standard}", *strict, "-x", language, "-",
                input=source)


def test_the_library_shows_its_own_names_only(libdir):
    shown = run("readelf", "--dyn-syms", "--wide", libdir / "libmonspool.so")
    names = set(re.findall(r"(?:FUNC|OBJECT) +GLOBAL +DEFAULT +\d+ (\S+)", shown))
    assert names and all(re.fullmatch(r"msp_\w+@@MONSPOOL_0\.1|MONSPOOL_0\.1", name)
                         for name in names if not name.startswith("__")), names
    declared = set(re.findall(r"\b(msp_\w+)\(", re.sub(
        r"static inline.*?\n}|/\*.*?\*/", "",
        (ROOT / "spool/monspool.h").read_text(), flags=re.S)))
    assert {name.split("@")[0] for name in names if name.startswith("msp_")} == declared
    dynamic = run("readelf", "--dynamic", "--wide", libdir / "libmonspool.so")
    assert "Library soname: [libmonspool.so.0]" in dynamic
    needed = set(re.findall(r"NEEDED.*\[(.*?)\.so", dynamic))
    assert needed <= {"libsqlite3", "libcjson", "libc", "libm", "ld-linux-x86-64",
                      "libasan", "libubsan", "libtsan", "libgcov"}, needed


def test_the_page_is_installed(prefix):
    if not shutil.which("scdoc"):
        pytest.skip("scdoc is not installed")
    [page] = prefix.rglob("libmonspool.3")
    assert page.with_name("monspool.3").read_text() == ".so man3/libmonspool.3\n"
    text = page.read_text()
    for name in ("msp_put_on", "MSP_E_FORKED", "monspool_outbox"):
        assert name.replace("_", "\\_") in text or name in text
    man = shutil.which("man")
    if man:
        warnings = subprocess.run([man, "--warnings", "-l", str(page)],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                  env={**os.environ, "MANPAGER": "cat"}, timeout=60)
        assert warnings.stderr == b""
