# SPDX-License-Identifier: LGPL-2.1-or-later
"""unittest on stdout as TAP, which meson counts case by case."""

import signal
import sys
import traceback
import unittest


class TapResult(unittest.TestResult):
    """TAP on stdout, as meson counts it; what went wrong as diagnostics."""

    def __init__(self, total):
        super().__init__()
        self.wrong = []
        print(f"1..{total}", flush=True)

    def startTest(self, test):
        super().startTest(test)
        self.wrong = []

    def stopTest(self, test):
        super().stopTest(test)
        print(f"{'not ok' if self.wrong else 'ok'} {self.testsRun} - {test.id().removeprefix('__main__.')}", flush=True)
        for text in self.wrong:
            for line in text.splitlines():
                print(f"# {line}", flush=True)

    def addError(self, test, err):
        super().addError(test, err)
        self.wrong.append("".join(traceback.format_exception(*err)))

    addFailure = addError

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self.wrong.append(f"{subtest.id()}\n{''.join(traceback.format_exception(*err))}")


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    loader = unittest.defaultTestLoader
    module = sys.modules["__main__"]
    suite = loader.loadTestsFromNames(sys.argv[1:], module) if sys.argv[1:] else loader.loadTestsFromModule(module)
    result = TapResult(suite.countTestCases())
    suite.run(result)
    sys.exit(0 if result.wasSuccessful() else 1)
