import Testing

@testable import DeepFGS

@Suite("Weights of float layers in a process")
struct SharedWeightsTests {
    @Test("Networks of one model share layers, and what oneDNN makes of their weights")
    func shared() throws {
        let model = try Model(bytes: ModelBuilder(format: 2).bytes)
        guard case .float(let weights) = model.transforms else { throw CodecError.frameTooLarge }
        let layers = model.prepared.floatLayers(weights, model.configuration)
        let options = ComputeOptions(precision: .float32, threads: 1)
        let first = try Encoder(model: model, width: 64, height: 48, options: options)
        let picture = TestPictures.textured(64, 48)
        let frame = try first.encode(picture)
        #expect(model.prepared.floatLayers(weights, model.configuration) === layers)
        let prepared = layers.basicHead.prepared.form("") { OneDNNWeights(layers.basicHead.weights) }
        let orders = prepared.orderCount
        #expect(orders == 1)
        // Others of that size add nothing, and give the same; so do others on several threads at once.
        #expect(try Encoder(model: model, width: 64, height: 48, options: options).encode(picture) == frame)
        #expect(prepared.orderCount == orders)
    }

    @Test("Encoders and decoders on several threads, which begin together, give what one alone gives")
    func together() async throws {
        let alone = try Model(bytes: ModelBuilder(format: 2).bytes)
        let picture = TestPictures.textured(70, 40)
        let frame = try Encoder(model: alone, width: 70, height: 40).encode(picture)
        let decoded = try Decoder(model: alone).decode(frame).picture
        let model = try Model(bytes: ModelBuilder(format: 2).bytes)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let encoded = try Encoder(model: model, width: 70, height: 40).encode(picture)
                    let again = try Decoder(model: model).decode(frame).picture
                    #expect(encoded == frame && again == decoded)
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("The automatic precision is one that the processor has, the same for the whole process")
    func precision() throws {
        let elements = try (0..<4).map { _ in try OneDNNBackend(precision: .automatic, workers: 1).element }
        #expect(elements.allSatisfy { $0 == OneDNNElement.faster })
        #expect(OneDNNElement.faster == .float32 || OneDNNEngine.supportsBFloat16)
        #expect(try OneDNNBackend(precision: .float32, workers: 1).element == .float32)
    }
}
