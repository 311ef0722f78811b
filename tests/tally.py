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
CMOCKA_OUTCOME = {"OK": "passed", "FAILED": "failed", "SKIPPED": "skipped"}
SKIP = re.compile(r"^SKIP (.+)$", re.MULTILINE)
PROOF = re.compile(r"is proved by ([\w./-]+)")


class Tally:
    def __init__(self):
        self.passed, self.failed, self.skipped = [], [], []
        self.proofs = set()

    def add(self, outcome, name):
        getattr(self, outcome).append(name)

    def add_program(self, name, outcome, output):
        """A program of ctest's: its own tests, where it names them."""
        seen = {test: word for word, test in CMOCKA.findall(output)}
        for test, word in seen.items():
            self.add(CMOCKA_OUTCOME[word], f"{name}: {test}")
        if outcome == "failed" and "FAILED" not in seen.values():
            self.add("failed", name)  # crashed, timed out, or not of cmocka
        elif not seen:
            self.add(outcome, name)

    def add_case(self, case):
        name, group = case.get("name"), case.get("classname")
        outcome, reason = outcome_of(case)
        output = (case.findtext("system-out") or "") + "\n" + reason
        for line in SKIP.findall(output):
            print(f"SKIP {line}")
            self.proofs.update(PROOF.findall(line))
        if group in (None, name):
            self.add_program(name, outcome, output)
        else:
            self.add(outcome, f"{group}: {name}")

    def check_proofs(self):
        """A skip leans on a plain proof, which must have passed here."""
        for proof in sorted(self.proofs):
            stem = proof.rsplit("/", 1)[-1].split(".")[0]
            if not any(stem in name for name in self.passed):
                self.add("failed", f"{proof}: a skipped test leans on it,"
                                   " and it did not pass here")


def outcome_of(case):
    """The outcome, and why a test was skipped."""
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed", ""
    skipped = case.find("skipped")
    if skipped is None:
        return "passed", ""
    reason = skipped.get("message") or ""
    # What ctest cannot start it calls "not run".
    return "failed" if reason.startswith("Unable") else "skipped", reason


def main(args):
    tally = Tally()
    for path in args:
        if path != "--no-skip":
            for case in xml.parse(path).getroot().iter("testcase"):
                tally.add_case(case)
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
