import COneDNN

/// A convolution of oneDNN, channels last, with its weights in the library's own order.
final class OneDNNConvolution: Convolution {
    private let context: OneDNNContext
    private let primitive: dnnl_primitive_t
    private let source: OneDNNMemory, target: OneDNNMemory
    private let weights: OneDNNMemory, bias: OneDNNMemory
    private let scratchpad: OneDNNMemory
    private let weightValues: RawBuffer
    private let biasValues: Buffer<Float>
    private let arguments: [dnnl_exec_arg_t]

    init(_ plan: ConvolutionPlan, _ context: OneDNNContext) throws(CodecError) {
        let description = try Self.description(plan, context)
        defer { dnnl_primitive_desc_destroy(description) }
        func descriptor(_ what: dnnl_query_t) throws(CodecError) -> dnnl_memory_desc_t {
            guard let descriptor = dnnl_primitive_desc_query_md(description, what, 0) else {
                throw .backend(operation: "query of a memory layout", status: 0)
            }
            return descriptor.pointee
        }
        var pads = try descriptor(dnnl_query_scratchpad_md)
        context.reserve(dnnl_memory_desc_get_size(&pads))
        scratchpad = try OneDNNMemory(pads, context)
        source = try OneDNNMemory(try descriptor(dnnl_query_src_md), context)
        target = try OneDNNMemory(try descriptor(dnnl_query_dst_md), context)
        biasValues = Buffer(plan.weights.bias)
        bias = try OneDNNMemory(try vector(plan.weights.outputs), context)
        try bias.point(to: biasValues.start)
        var layout = try descriptor(dnnl_query_weights_md)
        weightValues = RawBuffer(count: dnnl_memory_desc_get_size(&layout))
        weights = try OneDNNMemory(layout, context)
        try weights.point(to: weightValues.start)
        try Self.reorder(plan.weights, into: weights, context)
        var primitive: dnnl_primitive_t?
        try check(dnnl_primitive_create(&primitive, description), "creation of a convolution")
        guard let primitive else { throw .backend(operation: "creation of a convolution", status: 0) }
        self.primitive = primitive
        self.context = context
        arguments = [
            dnnl_exec_arg_t(arg: DNNL_ARG_SRC, memory: source.handle),
            dnnl_exec_arg_t(arg: DNNL_ARG_WEIGHTS, memory: weights.handle),
            dnnl_exec_arg_t(arg: DNNL_ARG_BIAS, memory: bias.handle),
            dnnl_exec_arg_t(arg: DNNL_ARG_DST, memory: target.handle),
            dnnl_exec_arg_t(arg: DNNL_ARG_SCRATCHPAD, memory: scratchpad.handle),
        ]
    }

    deinit { dnnl_primitive_destroy(primitive) }

    func run(_ input: UnsafeRawPointer, into output: UnsafeMutableRawPointer) throws(CodecError) {
        try source.point(to: UnsafeMutableRawPointer(mutating: input))
        try target.point(to: output)
        try scratchpad.point(to: context.scratchpad?.start)
        try check(
            dnnl_primitive_execute(primitive, context.stream, Int32(arguments.count), arguments), "a convolution")
    }

    /// What oneDNN needs to know of the convolution.
    private static func description(
        _ plan: ConvolutionPlan, _ context: OneDNNContext
    ) throws(CodecError) -> dnnl_primitive_desc_t {
        var source = try image(plan.weights.inputs, plan.height, plan.width, plan.input)
        var target = try image(plan.weights.outputs, plan.outputHeight, plan.outputWidth, plan.output)
        var weights = try kernels(plan.weights, plan.input, any: true)
        var bias = try vector(plan.weights.outputs)
        let strides = [dnnl_dim_t](repeating: dnnl_dim_t(plan.stride), count: 2)
        let padding = [dnnl_dim_t](repeating: dnnl_dim_t(plan.padding), count: 2)
        var descriptor = dnnl_convolution_desc_t()
        // Direct, never Winograd: integer layers must be exact.
        try check(
            dnnl_convolution_forward_desc_init(
                &descriptor, dnnl_forward_inference, dnnl_convolution_direct, &source, &weights, &bias, &target,
                strides, padding, padding), "description of a convolution")
        let attributes = try attributes(plan)
        defer { dnnl_primitive_attr_destroy(attributes) }
        var description: dnnl_primitive_desc_t?
        try check(
            dnnl_primitive_desc_create(&description, &descriptor, attributes, context.engine, nil),
            "choice of a convolution")
        guard let description else { throw .backend(operation: "choice of a convolution", status: 0) }
        return description
    }

    private static func attributes(_ plan: ConvolutionPlan) throws(CodecError) -> dnnl_primitive_attr_t {
        var attributes: dnnl_primitive_attr_t?
        try check(dnnl_primitive_attr_create(&attributes), "attributes")
        guard let attributes else { throw .backend(operation: "attributes", status: 0) }
        do throws(CodecError) {
            // Not the library's own scratchpad: it belongs to the thread that creates the primitive.
            try check(
                dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user), "scratchpad mode")
            // Whatever the environment says, float32 stays float32.
            try check(dnnl_primitive_attr_set_fpmath_mode(attributes, dnnl_fpmath_mode_strict), "float mode")
            try appendOperations(plan, attributes)
        } catch {
            dnnl_primitive_attr_destroy(attributes)
            throw error
        }
        return attributes
    }

    private static func appendOperations(
        _ plan: ConvolutionPlan, _ attributes: dnnl_primitive_attr_t
    ) throws(CodecError) {
        guard plan.accumulates || plan.slope != nil else { return }
        var operations: dnnl_post_ops_t?
        try check(dnnl_post_ops_create(&operations), "fused operations")
        defer { dnnl_post_ops_destroy(operations) }
        if plan.accumulates { try check(dnnl_post_ops_append_sum(operations, 1), "fused sum") }
        if let slope = plan.slope {
            try check(
                dnnl_post_ops_append_eltwise(operations, 1, dnnl_eltwise_relu, slope, 0), "fused activation")
        }
        try check(dnnl_primitive_attr_set_post_ops(attributes, operations), "fused operations")
    }

    /// Converts the model's weights into the order (and type) that the primitive asked for.
    private static func reorder(
        _ weights: ConvolutionWeights, into target: OneDNNMemory, _ context: OneDNNContext
    ) throws(CodecError) {
        let values = Buffer(weights.weights)
        let source = try OneDNNMemory(try kernels(weights, .float32, any: false), context)
        try source.point(to: values.start)
        var from: UnsafePointer<dnnl_memory_desc_t>?
        var to: UnsafePointer<dnnl_memory_desc_t>?
        try check(dnnl_memory_get_memory_desc(source.handle, &from), "query of a memory layout")
        try check(dnnl_memory_get_memory_desc(target.handle, &to), "query of a memory layout")
        var description: dnnl_primitive_desc_t?
        try check(
            dnnl_reorder_primitive_desc_create(&description, from, context.engine, to, context.engine, nil),
            "choice of a reorder")
        defer { dnnl_primitive_desc_destroy(description) }
        var primitive: dnnl_primitive_t?
        try check(dnnl_primitive_create(&primitive, description), "creation of a reorder")
        defer { dnnl_primitive_destroy(primitive) }
        let arguments = [
            dnnl_exec_arg_t(arg: DNNL_ARG_FROM, memory: source.handle),
            dnnl_exec_arg_t(arg: DNNL_ARG_TO, memory: target.handle),
        ]
        try check(dnnl_primitive_execute(primitive, context.stream, 2, arguments), "a reorder")
        try check(dnnl_stream_wait(context.stream), "a reorder")
        withExtendedLifetime(values) {}
    }
}

private func type(_ element: Element) -> dnnl_data_type_t {
    switch element {
    case .float32: dnnl_f32
    case .bfloat16: dnnl_bf16
    }
}

private func memory(
    _ dimensions: [Int], _ type: dnnl_data_type_t, _ tag: dnnl_format_tag_t
) throws(CodecError) -> dnnl_memory_desc_t {
    // The C side reads as many dimensions as an array of its largest rank holds.
    let padded = dimensions.map(dnnl_dim_t.init) + [dnnl_dim_t](repeating: 0, count: 12 - dimensions.count)
    var descriptor = dnnl_memory_desc_t()
    try check(
        dnnl_memory_desc_init_by_tag(&descriptor, Int32(dimensions.count), padded, type, tag), "memory layout")
    return descriptor
}

/// `[height][width][channels]`, dense.
private func image(_ channels: Int, _ height: Int, _ width: Int, _ element: Element) throws(CodecError)
    -> dnnl_memory_desc_t
{
    try memory([1, channels, height, width], type(element), dnnl_nhwc)
}

private func vector(_ count: Int) throws(CodecError) -> dnnl_memory_desc_t { try memory([count], dnnl_f32, dnnl_x) }

/// Weights in the order of the model file, or in any that suits the primitive.
private func kernels(_ weights: ConvolutionWeights, _ element: Element, any: Bool) throws(CodecError)
    -> dnnl_memory_desc_t
{
    let tag = any ? dnnl_format_tag_any : weights.depthwise ? dnnl_goihw : dnnl_oihw
    let kernel = weights.kernel
    return weights.depthwise
        ? try memory([weights.outputs, 1, 1, kernel, kernel], type(element), tag)
        : try memory([weights.outputs, weights.inputs, kernel, kernel], type(element), tag)
}
