/// A safetensors file: named tensors behind a JSON header (<https://github.com/huggingface/safetensors>).
///
/// Total on any bytes: sizes, offsets and overlaps are checked here, once.
struct Safetensors {
    /// Element types whose size is known.
    enum Element: String {
        case u8 = "U8"
        case i8 = "I8"
        case i16 = "I16"
        case i32 = "I32"
        case f16 = "F16"
        case f32 = "F32"

        var size: Int {
            switch self {
            case .u8, .i8: 1
            case .i16, .f16: 2
            case .i32, .f32: 4
            }
        }
    }

    struct Entry {
        let element: Element
        let shape: [Int]
        /// Bytes from the start of the file.
        let range: Range<Int>
    }

    /// Largest header that is accepted, bytes.
    static let headerLimit = 1 << 24

    /// The free-form texts of `__metadata__`.
    let metadata: [String: String]
    let entries: [String: Entry]
    private let bytes: UnsafeRawBufferPointer

    /// Reads the header; the bytes must outlive the value.
    ///
    /// - Throws: `ModelError.malformed` or `.tensor`.
    init(_ bytes: UnsafeRawBufferPointer) throws(ModelError) {
        guard bytes.count >= 8 else { throw .malformed("\(bytes.count) bytes, too few for a safetensors file") }
        let declared = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard declared <= UInt64(Self.headerLimit), declared <= UInt64(bytes.count - 8) else {
            throw .malformed("header of \(declared) bytes in a file of \(bytes.count)")
        }
        let start = 8 + Int(declared)
        guard case .object(let members)? = JSON(UnsafeRawBufferPointer(rebasing: bytes[8..<start])) else {
            throw .malformed("the header is not a JSON object")
        }
        var metadata: [String: String] = [:]
        var entries: [String: Entry] = [:]
        for (name, value) in members {
            if name == "__metadata__" {
                guard case .object(let texts) = value else { throw .malformed("__metadata__ is not an object") }
                for (key, text) in texts {
                    guard let text = text.string else { throw .malformed("__metadata__.\(key) is not a string") }
                    metadata[key] = text
                }
            } else {
                entries[name] = try Self.entry(name, value, dataStart: start, size: bytes.count)
            }
        }
        var end = start
        for (name, entry) in entries.sorted(by: {
            ($0.value.range.lowerBound, $0.value.range.upperBound)
                < ($1.value.range.lowerBound, $1.value.range.upperBound)
        }) {
            guard entry.range.lowerBound == end else {
                throw .tensor(
                    name: name, problem: entry.range.lowerBound < end ? "overlaps another tensor" : "follows a gap")
            }
            end = entry.range.upperBound
        }
        guard end == bytes.count else { throw .malformed("\(bytes.count - end) bytes after the last tensor") }
        self.metadata = metadata
        self.entries = entries
        self.bytes = bytes
    }

    private static func entry(
        _ name: String, _ value: JSON, dataStart: Int, size: Int
    ) throws(ModelError) -> Entry {
        guard let type = value["dtype"]?.string, let element = Element(rawValue: type) else {
            throw .tensor(name: name, problem: "unknown dtype")
        }
        guard let shape = value["shape"]?.integers, shape.count <= 8 else {
            throw .tensor(name: name, problem: "no shape")
        }
        var need = element.size
        for dimension in shape {
            guard dimension >= 0 else { throw .tensor(name: name, problem: "negative dimension") }
            let (product, overflow) = need.multipliedReportingOverflow(by: dimension)
            guard !overflow else { throw .tensor(name: name, problem: "too large") }
            need = product
        }
        guard let offsets = value["data_offsets"]?.integers, offsets.count == 2, offsets[0] >= 0,
            offsets[0] <= offsets[1], offsets[1] <= size - dataStart
        else { throw .tensor(name: name, problem: "data_offsets outside the file") }
        guard offsets[1] - offsets[0] == need else {
            throw .tensor(name: name, problem: "\(offsets[1] - offsets[0]) bytes where its shape needs \(need)")
        }
        return Entry(element: element, shape: shape, range: dataStart + offsets[0]..<dataStart + offsets[1])
    }

    /// The entry of a tensor after a check of its type and, where one is given, of its shape.
    func entry(_ name: String, _ element: Element, shape: [Int]? = nil) throws(ModelError) -> Entry {
        guard let entry = entries[name] else { throw .tensor(name: name, problem: "missing") }
        guard entry.element == element else {
            throw .tensor(name: name, problem: "is \(entry.element.rawValue), must be \(element.rawValue)")
        }
        if let shape, entry.shape != shape {
            throw .tensor(name: name, problem: "has shape \(entry.shape), must have \(shape)")
        }
        return entry
    }

    /// A tensor's values in the order of the file; `shape` is what its shape must be, nil accepts any.
    func values<Value: BitwiseCopyable>(
        _ name: String, _ element: Element, shape: [Int]? = nil, as type: Value.Type
    ) throws(ModelError) -> [Value] {
        let entry = try entry(name, element, shape: shape)
        guard MemoryLayout<Value>.size == element.size else {
            throw .tensor(name: name, problem: "read as another type")
        }
        let count = entry.range.count / element.size
        return [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
            UnsafeMutableRawBufferPointer(buffer).copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[entry.range]))
            initialized = count
        }
    }
}
