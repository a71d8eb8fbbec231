import COneDNN

/// The weights of one layer in whichever orders oneDNN's primitives ask for.
final class OneDNNWeights {
    private let weights: ConvolutionWeights
    private let context: OneDNNContext
    private let biasValues: Buffer<Float>
    private let bias: OneDNNMemory
    private var orders: [(memory: OneDNNMemory, values: RawBuffer)] = []

    var biasHandle: dnnl_memory_t { bias.handle }

    init(_ weights: ConvolutionWeights, _ context: OneDNNContext) throws(CodecError) {
        self.weights = weights
        self.context = context
        biasValues = Buffer(weights.bias)
        bias = try OneDNNMemory(try .vector(weights.outputs), context)
        try bias.point(to: biasValues.start)
    }

    /// The weights in one order (and type): converted when first asked for.
    func handle(_ layout: dnnl_memory_desc_t) throws(CodecError) -> dnnl_memory_t {
        var layout = layout
        for order in orders where dnnl_memory_desc_equal(try order.memory.layout(), &layout) != 0 {
            return order.memory.handle
        }
        let values = RawBuffer(count: dnnl_memory_desc_get_size(&layout))
        let memory = try OneDNNMemory(layout, context)
        try memory.point(to: values.start)
        try convert(into: memory)
        orders.append((memory, values))
        return memory.handle
    }

    private func convert(into target: OneDNNMemory) throws(CodecError) {
        let values = Buffer(weights.weights)
        let source = try OneDNNMemory(try .kernels(weights, .float32, anyOrder: false), context)
        try source.point(to: values.start)
        var description: dnnl_primitive_desc_t?
        try check(
            dnnl_reorder_primitive_desc_create(
                &description, try source.layout(), context.engine, try target.layout(), context.engine, nil),
            "choice of a reorder")
        defer { dnnl_primitive_desc_destroy(description) }
        var primitive: dnnl_primitive_t?
        try check(dnnl_primitive_create(&primitive, description), "creation of a reorder")
        defer { dnnl_primitive_destroy(primitive) }
        let arguments = [
            dnnl_exec_arg_t(arg: DNNL_ARG_FROM, memory: source.handle),
            dnnl_exec_arg_t(arg: DNNL_ARG_TO, memory: target.handle),
        ]
        let stream = try context.stream(worker: 0)
        try check(dnnl_primitive_execute(primitive, stream, 2, arguments), "a reorder")
        try check(dnnl_stream_wait(stream), "a reorder")
        withExtendedLifetime(values) {}
    }
}

extension dnnl_memory_desc_t {
    /// `[rows][width][channels]`, dense.
    static func image(
        _ channels: Int, _ rows: Int, _ width: Int, _ element: Element
    ) throws(CodecError) -> dnnl_memory_desc_t {
        try memory([1, channels, rows, width], type(element), dnnl_nhwc)
    }

    static func vector(_ count: Int) throws(CodecError) -> dnnl_memory_desc_t {
        try memory([count], dnnl_f32, dnnl_x)
    }

    /// Weights in the order of the model file, or in any that suits the primitive.
    static func kernels(
        _ weights: ConvolutionWeights, _ element: Element, anyOrder: Bool
    ) throws(CodecError) -> dnnl_memory_desc_t {
        let tag = anyOrder ? dnnl_format_tag_any : weights.depthwise ? dnnl_goihw : dnnl_oihw
        let kernel = weights.kernel
        return weights.depthwise
            ? try memory([weights.outputs, 1, 1, kernel, kernel], type(element), tag)
            : try memory([weights.outputs, weights.inputs, kernel, kernel], type(element), tag)
    }

    private static func memory(
        _ dimensions: [Int], _ type: dnnl_data_type_t, _ tag: dnnl_format_tag_t
    ) throws(CodecError) -> dnnl_memory_desc_t {
        let sizes = dimensions.map(dnnl_dim_t.init)
        var descriptor = dnnl_memory_desc_t()
        try check(
            dnnl_memory_desc_init_by_tag(&descriptor, Int32(sizes.count), sizes, type, tag), "memory layout")
        return descriptor
    }

    private static func type(_ element: Element) -> dnnl_data_type_t {
        switch element {
        case .float32: dnnl_f32
        case .bfloat16: dnnl_bf16
        }
    }
}
