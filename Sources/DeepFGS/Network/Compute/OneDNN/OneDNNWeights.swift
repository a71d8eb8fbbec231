import COneDNN

/// The weights of one layer in whichever orders oneDNN's primitives ask for, each made once: shared by all networks that
/// have the layer.
final class OneDNNWeights: Sendable {
    /// Numbers in one order (and type) that primitives only read, on any thread.
    struct Ordered: @unchecked Sendable {
        fileprivate let memory: OneDNNMemory
        fileprivate let values: RawBuffer

        var handle: dnnl_memory_t { memory.handle }
    }

    private struct Orders {
        var kernels: [Ordered] = []
        var bias: Ordered?
    }

    private let weights: ConvolutionWeights
    private let orders = Lock(Orders())

    /// Orders (and types) that were asked for so far.
    var orderCount: Int { orders.withLock { $0.kernels.count } }

    init(_ weights: ConvolutionWeights) { self.weights = weights }

    /// The weights in one order (and type): converted when first asked for.
    func kernels(_ layout: deepfgs_layout_t, _ engine: OneDNNEngine) throws(CodecError) -> Ordered {
        try orders.withLock { orders throws(CodecError) in
            for order in orders.kernels where deepfgs_layout_equal(try order.memory.layout(), layout) != 0 {
                return order
            }
            let order = try converted(layout, engine)
            orders.kernels.append(order)
            return order
        }
    }

    /// The bias, in float32.
    func bias(_ engine: OneDNNEngine) throws(CodecError) -> Ordered {
        try orders.withLock { orders throws(CodecError) in
            if let bias = orders.bias { return bias }
            let bias = try Self.copy(weights.bias, try .vector(weights.outputs), engine)
            orders.bias = bias
            return bias
        }
    }

    private func converted(_ layout: deepfgs_layout_t, _ engine: OneDNNEngine) throws(CodecError) -> Ordered {
        let target = Ordered(
            memory: try OneDNNMemory(layout, engine), values: RawBuffer(count: deepfgs_layout_size(layout)))
        try target.memory.point(to: target.values.start)
        let source = try Self.copy(weights.weights, try .kernels(weights, .float32, anyOrder: false), engine)
        var description: dnnl_primitive_desc_t?
        try check(
            deepfgs_reorder_create(&description, engine.handle, try source.memory.layout(), layout),
            "choice of a reorder")
        defer { dnnl_primitive_desc_destroy(description) }
        var primitive: dnnl_primitive_t?
        try check(dnnl_primitive_create(&primitive, description), "creation of a reorder")
        defer { dnnl_primitive_destroy(primitive) }
        let arguments = [
            dnnl_exec_arg_t(arg: DNNL_ARG_FROM, memory: source.handle),
            dnnl_exec_arg_t(arg: DNNL_ARG_TO, memory: target.handle),
        ]
        let stream = try engine.stream()
        defer { dnnl_stream_destroy(stream) }
        try engine.onThisThread { () throws(CodecError) in
            try check(dnnl_primitive_execute(primitive, stream, 2, arguments), "a reorder")
            try check(dnnl_stream_wait(stream), "a reorder")
        }
        return target
    }

    /// Numbers as they are.
    private static func copy(
        _ numbers: [Float], _ layout: OneDNNLayout, _ engine: OneDNNEngine
    ) throws(CodecError) -> Ordered {
        let size = numbers.count * MemoryLayout<Float>.stride
        let copy = Ordered(memory: try OneDNNMemory(layout.handle, engine), values: RawBuffer(count: size))
        numbers.withUnsafeBytes { bytes in
            UnsafeMutableRawBufferPointer(start: copy.values.start, count: size).copyMemory(from: bytes)
        }
        try copy.memory.point(to: copy.values.start)
        return copy
    }
}
