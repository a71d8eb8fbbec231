import Glibc
import Testing

@testable import DeepFGS

/// A model and what the training code computed with it.
struct Fixture: Sendable, CustomTestStringConvertible {
    let model: Result<Model, any Error>
    let vectors: Result<Vectors, any Error>
    let testDescription: String

    init(model: String, vectors: String) {
        self.model = Result { try Model(path: model) }
        self.vectors = Result { try Vectors(path: vectors) }
        testDescription = model.split(separator: "/").last.map(String.init) ?? model
    }

    /// Every model in `models/` that has vectors, or the one that `make model-check` names.
    ///
    /// Those of hq-v1 would take minutes in plain loops, and live-ms-v1 is built like live-v2: golden streams stand for them.
    static let all: [Fixture] =
        if let model = environment("DEEPFGS_TEST_MODEL"), let vectors = environment("DEEPFGS_TEST_VECTORS") {
            [Fixture(model: model, vectors: vectors)]
        } else {
            shippedNames.filter { $0 != "hq-v1" && $0 != "live-ms-v1" }.map {
                Fixture(
                    model: "\(shipped)/\($0).safetensors",
                    vectors: TestModel.root + "/Tests/Fixtures/\($0).vectors.safetensors")
            }
        }

    private static let shipped = TestModel.root + "/models"

    private static var shippedNames: [Substring] {
        ModelSearchPath(places: [shipped]).files.map { $0.dropFirst(shipped.count + 1).dropLast(".safetensors".count) }
    }

    private static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}

/// Tensors of a picture of Kodak: `x`, `z`, `phi` and, for three cuts, `q`, `mean`, `scale` and `rgb`; all planar.
struct Vectors: Sendable {
    static let cuts = [0, 50, 192]
    let width: Int, height: Int
    private let tensors: [String: [Int16]]
    private let pictures: [String: [UInt8]]

    init(path: String) throws {
        let bytes = try readFile(path)
        var (tensors, pictures): ([String: [Int16]], [String: [UInt8]]) = ([:], [:])
        var shape: [Int] = []
        try bytes.withUnsafeBytes { raw in
            let file = try Safetensors(raw)
            for (name, entry) in file.entries {
                switch entry.element {
                case .i16: tensors[name] = try file.values(name, .i16, as: Int16.self)
                default: pictures[name] = try file.values(name, .u8, as: UInt8.self)
                }
            }
            shape = try file.entry("x", .u8).shape
        }
        (height, width) = (shape[1], shape[2])
        self.tensors = tensors
        self.pictures = pictures
    }

    func integers(_ name: String) throws -> [Int16] { try #require(tensors[name]) }

    /// A picture as packed RGB.
    func picture(_ name: String) throws -> Picture {
        let planes = try #require(pictures[name])
        let count = width * height
        return Picture(
            width: width, height: height,
            pixels: (0..<count).flatMap { position in (0..<3).map { planes[$0 * count + position] } })
    }
}

extension CodecNetwork {
    /// Runs the decoder's side on given symbols, planar over all slices.
    func decode(hyper: [Int16], symbols: [Int16], check: (Int) throws -> Void = { _ in }) throws {
        for (index, value) in hyper.enumerated() { hyperSymbols[index] = value }
        try expandHyper()
        var offset = 0
        for slice in 0..<sliceCount {
            let target = self.symbols(of: slice)
            for index in target.indices { target[index] = symbols[offset + index] }
            offset += target.count
            for pass in passes(of: slice) { try predict(slice: slice, pass: pass) }
            try check(slice)
            try reconstruct(slice: slice)
        }
    }

    /// The picture of what has been reconstructed.
    func picture() throws -> Picture {
        var picture = Picture(width: grid.width, height: grid.height)
        let layout = picture.layout
        try picture.pixels.withUnsafeMutableBytes {
            try synthesise(to: RawPicture(UnsafeRawBufferPointer($0), layout: layout))
        }
        return picture
    }

    /// Analyses, quantises and reconstructs a picture: the encoder without its entropy coder.
    func encode(_ picture: Picture) throws {
        try picture.pixels.withUnsafeBytes { try analyse(RawPicture($0, layout: picture.layout)) }
        try expandHyper()
        for slice in 0..<sliceCount {
            if slice == basicSliceCount { try analyseScalable() }
            try findSymbols(slice: slice)
            try reconstruct(slice: slice)
        }
    }

    /// Symbols of all slices, planar.
    var allSymbols: [Int16] { (0..<sliceCount).flatMap { Array(symbols(of: $0)) } }
    var allMeans: [Int16] { (0..<sliceCount).flatMap { means(of: $0) } }
    var allScales: [UInt8] { (0..<sliceCount).flatMap { Array(scales(of: $0)) } }
}

/// Largest and mean difference of two sequences.
func difference<Number: BinaryInteger>(_ a: [Number], _ b: [Number]) -> (largest: Int, mean: Double) {
    guard a.count == b.count, !a.isEmpty else { return (.max, .infinity) }
    var (largest, sum) = (0, 0)
    var index = 0
    while index < a.count {
        let distance = abs(Int(a[index]) - Int(b[index]))
        if distance > largest { largest = distance }
        sum += distance
        index += 1
    }
    return (largest, Double(sum) / Double(a.count))
}
