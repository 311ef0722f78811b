"""tally.py [--no-skip] FILE...: count what ran, from JUnit files.

The files are ctest's and pytest's, and one of ours for what is neither.  A
cmocka program counts as the tests it ran, every other one as one.  Says each
failure and each skip, then, as the last line, the sum.  Exits 1 if anything
failed or nothing ran.
"""
import re
import sys
import xml.etree.ElementTree as xml

CMOCKA = re.compile(r"^\[\s+(OK|FAILED|SKIPPED)\s+\] (\w+)\s*$", re.MULTILINE)
SKIP = re.compile(r"^SKIP (.+)$", re.MULTILINE)
PROOF = re.compile(r"is proved by ([\w./-]+)")


class Tally:
    def __init__(self):
        self.passed, self.failed, self.skipped = [], [], []

    def add(self, result, name):
        getattr(self, result).append(name)

    def program(self, name, outcome, output):
        """A program of ctest's: its own tests, where it names them."""
        seen = {test: word for word, test in CMOCKA.findall(output)}
        for test, word in seen.items():
            result = {"OK": "passed", "FAILED": "failed"}.get(word, "skipped")
            self.add(result, f"{name}: {test}")
        if outcome == "failed" and "FAILED" not in seen.values():
            self.add("failed", name)  # crashed, timed out, or no cmocka
        elif not seen:
            self.add(outcome, name)

    def read(self, path):
        for case in xml.parse(path).getroot().iter("testcase"):
            name = case.get("name")
            output = case.findtext("system-out") or ""
            if case.find("failure") is not None or case.find("error") is not None:
                outcome = "failed"
            elif case.find("skipped") is not None:
                outcome = "skipped"
                reason = case.find("skipped").get("message") or ""
                output += "\n" + reason
            else:
                outcome = "passed"
            for line in SKIP.findall(output):
                print(f"SKIP {line}")
            self.unproved(output)
            if case.get("classname", name) == name:
                self.program(name, outcome, output)
            else:
                self.add(outcome, f"{case.get('classname')}: {name}")

    def unproved(self, output):
        self.proofs = getattr(self, "proofs", [])
        self.proofs += PROOF.findall("\n".join(SKIP.findall(output)))

    def check_proofs(self):
        """A skip leans on a plain proof, which must have run here."""
        ran = " ".join(self.passed)
        for proof in set(getattr(self, "proofs", [])):
            if proof.rsplit("/", 1)[-1].split(".")[0] not in ran:
                self.add("failed", f"{proof}: a skipped test leans on it, and it did not pass")


def main(args):
    tally = Tally()
    for path in [arg for arg in args if arg != "--no-skip"]:
        tally.read(path)
    tally.check_proofs()
    if "--no-skip" in args:
        tally.failed += tally.skipped
        tally.skipped = []
    for name in tally.skipped:
        print(f"skipped: {name}")
    for name in tally.failed:
        print(f"FAILED: {name}")
    print(f"{len(tally.passed)} passed, {len(tally.failed)} failed"
          + (f", {len(tally.skipped)} skipped" if tally.skipped else ""))
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
