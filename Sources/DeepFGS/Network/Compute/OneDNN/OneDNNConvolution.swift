import COneDNN

/// A convolution of oneDNN, channels last, with its weights in the library's own order.
final class OneDNNConvolution: Convolution {
    private let context: OneDNNContext
    private let weights: OneDNNWeights
    private let primitive: dnnl_primitive_t
    /// What changes from call to call, once per worker.
    private let bindings: [Binding]

    /// The memory objects of one worker.
    private struct Binding {
        let stream: dnnl_stream_t
        let source: OneDNNMemory, target: OneDNNMemory, scratchpad: OneDNNMemory
        let arguments: [dnnl_exec_arg_t]
    }

    /// Prepares a convolution of `layer`, whose weights `weights` has.
    init(
        _ plan: ConvolutionPlan, _ layer: ConvolutionWeights, _ weights: OneDNNWeights, _ context: OneDNNContext
    ) throws(CodecError) {
        let description = try Self.description(plan, layer, context)
        defer { dnnl_primitive_desc_destroy(description) }
        func descriptor(_ what: dnnl_query_t) throws(CodecError) -> dnnl_memory_desc_t {
            guard let descriptor = dnnl_primitive_desc_query_md(description, what, 0) else {
                throw .backend(operation: "query of a memory layout", status: 0)
            }
            return descriptor.pointee
        }
        var pads = try descriptor(dnnl_query_scratchpad_md)
        context.reserve(dnnl_memory_desc_get_size(&pads))
        let kernels = try weights.handle(try descriptor(dnnl_query_weights_md))
        var bindings: [Binding] = []
        for worker in 0..<context.workers {
            let source = try OneDNNMemory(try descriptor(dnnl_query_src_md), context)
            let target = try OneDNNMemory(try descriptor(dnnl_query_dst_md), context)
            let scratchpad = try OneDNNMemory(pads, context)
            bindings.append(
                Binding(
                    stream: try context.stream(worker: worker), source: source, target: target,
                    scratchpad: scratchpad,
                    arguments: [
                        dnnl_exec_arg_t(arg: DNNL_ARG_SRC, memory: source.handle),
                        dnnl_exec_arg_t(arg: DNNL_ARG_WEIGHTS, memory: kernels),
                        dnnl_exec_arg_t(arg: DNNL_ARG_BIAS, memory: weights.biasHandle),
                        dnnl_exec_arg_t(arg: DNNL_ARG_DST, memory: target.handle),
                        dnnl_exec_arg_t(arg: DNNL_ARG_SCRATCHPAD, memory: scratchpad.handle),
                    ]))
        }
        var primitive: dnnl_primitive_t?
        try check(dnnl_primitive_create(&primitive, description), "creation of a convolution")
        guard let primitive else { throw .backend(operation: "creation of a convolution", status: 0) }
        self.primitive = primitive
        self.context = context
        self.weights = weights
        self.bindings = bindings
    }

    deinit { dnnl_primitive_destroy(primitive) }

    func run(_ input: UnsafeRawPointer, into output: UnsafeMutableRawPointer, worker: Int) throws(CodecError) {
        let binding = bindings[worker]
        try binding.source.point(to: UnsafeMutableRawPointer(mutating: input))
        try binding.target.point(to: output)
        try binding.scratchpad.point(to: context.scratchpad(worker: worker))
        try check(
            dnnl_primitive_execute(primitive, binding.stream, Int32(binding.arguments.count), binding.arguments),
            "a convolution")
    }

    /// What oneDNN needs to know of the convolution.
    private static func description(
        _ plan: ConvolutionPlan, _ layer: ConvolutionWeights, _ context: OneDNNContext
    ) throws(CodecError) -> dnnl_primitive_desc_t {
        let stride = layer.kernel == 2 ? 2 : 1
        let side = layer.kernel == 3 ? 1 : 0
        let (above, below) = (plan.top ? side : 0, plan.bottom ? side : 0)
        let inputRows = plan.rows * stride + 2 * side - above - below
        var source = try dnnl_memory_desc_t.image(layer.inputs, inputRows, plan.width, plan.input)
        var target = try dnnl_memory_desc_t.image(layer.outputs, plan.rows, plan.width / stride, plan.output)
        var weights = try dnnl_memory_desc_t.kernels(layer, plan.input, anyOrder: true)
        var bias = try dnnl_memory_desc_t.vector(layer.outputs)
        let strides = [dnnl_dim_t(stride), dnnl_dim_t(stride)]
        var descriptor = dnnl_convolution_desc_t()
        // Direct, never Winograd: integer layers must be exact.
        try check(
            dnnl_convolution_forward_desc_init(
                &descriptor, dnnl_forward_inference, dnnl_convolution_direct, &source, &weights, &bias, &target,
                strides, [dnnl_dim_t(above), dnnl_dim_t(side)], [dnnl_dim_t(below), dnnl_dim_t(side)]),
            "description of a convolution")
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
}
