"""That tools/rooms finds the circles that there are, and no others: tools/rooms_test.py, part of make lint."""

import importlib.machinery
import importlib.util
import tempfile
import unittest
from pathlib import Path

loader = importlib.machinery.SourceFileLoader("rooms", str(Path(__file__).with_name("rooms")))
rooms = importlib.util.module_from_spec(importlib.util.spec_from_loader("rooms", loader))
loader.exec_module(rooms)


def groups(files):
    """The circles of a target of these files, as sets of room names."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder)
        for name, text in files.items():
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        uses = {**rooms.c_uses(target), **rooms.swift_uses(target)}
        found = [group for group in rooms.circles(uses) if any(room.is_dir() for room in group)]
        return [{str(room.relative_to(target)) for room in group} for group in found]


class Rooms(unittest.TestCase):
    def test_two_rooms(self):
        self.assertEqual(groups({"A/a.swift": "struct One { var b: Two }", "B/b.swift": "struct Two { let a: One? }"}), [{"A", "B"}])

    def test_one_direction(self):
        self.assertEqual(groups({"A/a.swift": "struct One {}", "B/b.swift": "struct Two { let a: [One] }"}), [])

    def test_three_rooms(self):
        files = {"A/a.swift": "class One { func f(_: Two) {} }", "B/b.swift": "enum Two { case c(Three) }"}
        self.assertEqual(groups({**files, "C/c.swift": "protocol Three { var one: One { get } }"}), [{"A", "B", "C"}])
        self.assertEqual(groups({**files, "C/c.swift": "protocol Three {}"}), [])

    def test_extensions_and_functions(self):
        self.assertEqual(
            groups({"A/a.swift": "struct One {}\nfunc helper() {}", "B/b.swift": "extension One {}\nstruct Two {}", "A/c.swift": "let t = Two()"}),
            [{"A", "B"}],
        )
        self.assertEqual(groups({"A/a.swift": "func helper() -> Two {}", "B/b.swift": "struct Two { func f() { helper() } }"}), [{"A", "B"}])
        # A method of that name is not the function.
        self.assertEqual(groups({"A/a.swift": "func helper() -> Two {}", "B/b.swift": "struct Two { func f() { x.helper() } }"}), [])

    def test_inner_folders_are_rooms(self):
        files = {"A/a.swift": "struct Outer { let inner: Inner }", "A/B/b.swift": "struct Inner { let outer: Outer }"}
        self.assertEqual(groups(files), [{"A", "A/B"}])

    def test_files_of_the_target_itself(self):
        # What all use and what uses all may lie side by side; the same file may not be both.
        side = {"Errors.swift": "struct Wrong: Error {}", "Main.swift": "let one = One()", "A/a.swift": "struct One { let e: Wrong }"}
        self.assertEqual(groups(side), [])
        both = {"Both.swift": "struct Wrong: Error { let one: One }", "A/a.swift": "struct One { let e: Wrong }"}
        self.assertEqual(groups(both), [{"A", "Both.swift"}])
        self.assertEqual(groups({"One.swift": "struct One { let t: Two }", "Two.swift": "struct Two { let o: One }"}), [])

    def test_what_is_no_use(self):
        two = "struct Two {}\nstruct Three { let one: One }"
        for text in [
            "struct One {} // Two", "/* Two /* nested */ Two */ struct One {}", 'struct One { let s = "Two" }',
            'struct One { let s = """\n  Two\n  """ }', 'struct One { let s = #"\\(Two)"# }', "struct One { let s = x.Two }",
            "struct One { struct Two {}; let t: Two }", "struct One {}\nprivate struct Two {}\nlet t = Two()",
        ]:
            self.assertEqual(groups({"A/a.swift": text, "B/b.swift": two}), [], text)
        # What stands in an interpolation is code.
        self.assertEqual(groups({"A/a.swift": 'struct One { let s = "\\(Two())" }', "B/b.swift": two}), [{"A", "B"}])

    def test_private_declarations_are_nobody_elses(self):
        self.assertEqual(groups({"A/a.swift": "struct One { let t: Two }", "B/b.swift": "private struct Two {}\nstruct X { let o: One }"}), [])

    def test_headers(self):
        files = {"a/a.h": '#include "b/b.h"', "b/b.h": "int b;", "b/b.c": '#include "b.h"\n#include "a/a.h"'}
        self.assertEqual(groups(files), [{"a", "b"}])
        self.assertEqual(groups({**files, "b/b.c": '#include "b.h"'}), [])


if __name__ == "__main__":
    unittest.main()
