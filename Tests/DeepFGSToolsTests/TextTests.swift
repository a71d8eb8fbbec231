import Testing

@testable import DeepFGSTools

@Suite struct TextTests {
    @Test func numbers() {
        #expect(decimal(3.14159, 2) == "3.14")
        #expect(decimal(-0.5, 0) == "-0")
        #expect(decimal(7, 3, width: 8) == "   7.000")
        #expect(decimal(1e300, 3).hasSuffix(".000"))
        #expect(decimal(.infinity, 2) == "inf")
        #expect(shortDecimal(0.25, 5) == "0.25")
        #expect(shortDecimal(120, 3) == "120")
        #expect(shortDecimal(-0.0001, 2) == "0")
        #expect(clock(7.4) == "0:07")
        #expect(clock(754) == "12:34")
        #expect(clock(3723) == "1:02:03")
    }

    @Test func json() {
        let value = JSON.object([
            ("name", "a \"b\"\\\n\u{1}é"), ("n", 3), ("list", .array([1, .bool(true), .null])),
            ("rows", .array([.object([("x", .number(0.139560, digits: 5))])])), ("none", .object([])),
            ("bad", .number(.infinity, digits: 2)),
        ])
        #expect(
            value.text() == """
                {
                 "name": "a \\"b\\"\\\\\\n\\u0001é",
                 "n": 3,
                 "list": [1, true, null],
                 "rows": [
                  {
                   "x": 0.13956
                  }
                 ],
                 "none": {},
                 "bad": null
                }
                """)
    }

    @Test func paths() {
        #expect(directory(of: "a/b/c.png") == "a/b")
        #expect(directory(of: "c.png") == ".")
        #expect(directory(of: "/c.png") == "/")
        #expect(directory(of: "a/b/") == "a")
        #expect(stem(of: "a/b.c/d.e.png") == "d.e")
        #expect(stem(of: ".hidden") == ".hidden")
        #expect(pathExtension(of: "x/Y.PNG") == "png")
        #expect(pathExtension(of: "x.d/y") == "")
        #expect(joined("a", "b") == "a/b")
        #expect(joined("/", "b") == "/b")
        #expect(joined(".", "b") == "b")
    }
}
