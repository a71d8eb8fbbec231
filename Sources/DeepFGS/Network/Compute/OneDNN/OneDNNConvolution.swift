import COneDNN

/// A convolution of oneDNN, channels last, with its weights in the library's own order.
final class OneDNNConvolution: Convolution {
    private let context: OneDNNContext
    /// Held for the primitive, which has their addresses.
    private let kernels: OneDNNWeights.Ordered, bias: OneDNNWeights.Ordered
    private let primitive: dnnl_primitive_t
    /// What changes from call to call, once per worker.
    private let bindings: [Binding]

    /// The memory objects of one worker.
    private struct Binding {
        let stream: dnnl_stream_t
        let source: OneDNNMemory, target: OneDNNMemory, scratchpad: OneDNNMemory
        let arguments: [dnnl_exec_arg_t]
    }

    /// Prepares a convolution.
    init(_ plan: ConvolutionPlan, _ layer: FloatLayer, _ context: OneDNNContext) throws(CodecError) {
        let engine = context.engine
        let description = try Self.description(plan, layer.weights, engine)
        defer { dnnl_primitive_desc_destroy(description) }
        func layout(_ what: dnnl_query_t) throws(CodecError) -> deepfgs_layout_t {
            guard let layout = deepfgs_primitive_layout(description, what) else {
                throw .backend(operation: "query of a memory layout", status: 0)
            }
            return layout
        }
        let pads = try layout(dnnl_query_scratchpad_md)
        context.reserve(deepfgs_layout_size(pads))
        let weights = layer.prepared.form("") { OneDNNWeights(layer.weights) }
        kernels = try weights.kernels(try layout(dnnl_query_weights_md), engine)
        bias = try weights.bias(engine)
        var bindings: [Binding] = []
        for worker in 0..<context.workers {
            let source = try OneDNNMemory(try layout(dnnl_query_src_md), engine)
            let target = try OneDNNMemory(try layout(dnnl_query_dst_md), engine)
            let scratchpad = try OneDNNMemory(pads, engine)
            bindings.append(
                Binding(
                    stream: try context.stream(worker: worker), source: source, target: target,
                    scratchpad: scratchpad,
                    arguments: [
                        dnnl_exec_arg_t(arg: DNNL_ARG_SRC, memory: source.handle),
                        dnnl_exec_arg_t(arg: DNNL_ARG_WEIGHTS, memory: kernels.handle),
                        dnnl_exec_arg_t(arg: DNNL_ARG_BIAS, memory: bias.handle),
                        dnnl_exec_arg_t(arg: DNNL_ARG_DST, memory: target.handle),
                        dnnl_exec_arg_t(arg: DNNL_ARG_SCRATCHPAD, memory: scratchpad.handle),
                    ]))
        }
        var primitive: dnnl_primitive_t?
        try check(dnnl_primitive_create(&primitive, description), "creation of a convolution")
        guard let primitive else { throw .backend(operation: "creation of a convolution", status: 0) }
        self.primitive = primitive
        self.context = context
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
        _ plan: ConvolutionPlan, _ layer: ConvolutionWeights, _ engine: OneDNNEngine
    ) throws(CodecError) -> dnnl_primitive_desc_t {
        let stride = layer.kernel == 2 ? 2 : 1
        let side = layer.kernel == 3 ? 1 : 0
        let (above, below) = (plan.top ? side : 0, plan.bottom ? side : 0)
        let inputRows = plan.rows * stride + 2 * side - above - below
        let source = try OneDNNLayout.image(layer.inputs, inputRows, plan.width, plan.input)
        let target = try OneDNNLayout.image(layer.outputs, plan.rows, plan.width / stride, plan.output)
        let weights = try OneDNNLayout.kernels(layer, plan.input, anyOrder: true)
        let bias = try OneDNNLayout.vector(layer.outputs)
        let attributes = try attributes(plan)
        defer { dnnl_primitive_attr_destroy(attributes) }
        var description: dnnl_primitive_desc_t?
        try check(
            deepfgs_convolution_create(
                &description, engine.handle, source.handle, weights.handle, bias.handle, target.handle,
                [dnnl_dim_t(stride), dnnl_dim_t(stride)], [dnnl_dim_t(above), dnnl_dim_t(side)],
                [dnnl_dim_t(below), dnnl_dim_t(side)], attributes),
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
        if plan.accumulates { try check(deepfgs_append_sum(operations), "fused sum") }
        if let slope = plan.slope {
            try check(deepfgs_append_leaky_relu(operations, slope), "fused activation")
        }
        try check(dnnl_primitive_attr_set_post_ops(attributes, operations), "fused operations")
    }
}
