import COneDNN

/// Throws where oneDNN says no.
func check(_ status: dnnl_status_t, _ operation: String) throws(CodecError) {
    guard status == dnnl_success else {
        throw .backend(operation: operation, status: Int32(bitPattern: status.rawValue))
    }
}

/// oneDNN's engine: one for the process, never destroyed.
///
/// Versions 2 and 3 of oneDNN both serve; where they differ, `Sources/COneDNN/layouts.h` hides it.
struct OneDNNEngine: @unchecked Sendable {
    // An engine may be used by any number of threads at once.
    let handle: dnnl_engine_t

    /// The engine of the process.
    ///
    /// - Throws: `CodecError.backend` where there is none, every time.
    static func shared() throws(CodecError) -> OneDNNEngine { try made.get() }

    private static let made = Result<OneDNNEngine, CodecError> { () throws(CodecError) in
        var engine: dnnl_engine_t?
        try check(dnnl_engine_create(&engine, dnnl_cpu, 0), "engine creation")
        guard let engine else { throw .backend(operation: "engine creation", status: 0) }
        return OneDNNEngine(handle: engine)
    }

    func stream() throws(CodecError) -> dnnl_stream_t {
        var stream: dnnl_stream_t?
        try check(dnnl_stream_create(&stream, handle, dnnl_stream_default_flags.rawValue), "stream creation")
        guard let stream else { throw .backend(operation: "stream creation", status: 0) }
        return stream
    }

    /// Runs `body` without OpenMP's threads, and leaves the calling thread as it was: OpenMP, under oneDNN, keeps the
    /// number of threads per calling thread.
    func onThisThread<Result>(_ body: () throws(CodecError) -> Result) throws(CodecError) -> Result {
        let threads = omp_get_max_threads()
        if threads != 1 { omp_set_num_threads(1) }
        defer { if threads != 1 { omp_set_num_threads(threads) } }
        return try body()
    }

    /// Whether bfloat16 works at all.
    static var supportsBFloat16: Bool {
        let needed = dnnl_cpu_isa_avx512_core.rawValue
        return dnnl_get_effective_cpu_isa().rawValue & needed == needed
    }
}

/// How a tensor lies in memory.
final class OneDNNLayout {
    let handle: deepfgs_layout_t

    private init(_ sizes: [Int], _ type: dnnl_data_type_t, _ tag: dnnl_format_tag_t) throws(CodecError) {
        let sizes = sizes.map(dnnl_dim_t.init)
        var layout: deepfgs_layout_t?
        try check(deepfgs_layout_create(&layout, Int32(sizes.count), sizes, type, tag), "memory layout")
        guard let layout else { throw .backend(operation: "memory layout", status: 0) }
        handle = layout
    }

    deinit { deepfgs_layout_destroy(handle) }

    /// `[rows][width][channels]`, dense.
    static func image(
        _ channels: Int, _ rows: Int, _ width: Int, _ element: Element
    ) throws(CodecError) -> OneDNNLayout {
        try OneDNNLayout([1, channels, rows, width], type(element), dnnl_nhwc)
    }

    static func vector(_ count: Int) throws(CodecError) -> OneDNNLayout {
        try OneDNNLayout([count], dnnl_f32, dnnl_x)
    }

    /// Weights in the order of the model file, or in any that suits the primitive.
    static func kernels(
        _ weights: ConvolutionWeights, _ element: Element, anyOrder: Bool
    ) throws(CodecError) -> OneDNNLayout {
        let tag = anyOrder ? dnnl_format_tag_any : weights.depthwise ? dnnl_goihw : dnnl_oihw
        let kernel = weights.kernel
        return weights.depthwise
            ? try OneDNNLayout([weights.outputs, 1, 1, kernel, kernel], type(element), tag)
            : try OneDNNLayout([weights.outputs, weights.inputs, kernel, kernel], type(element), tag)
    }

    private static func type(_ element: Element) -> dnnl_data_type_t {
        switch element {
        case .float32: dnnl_f32
        case .bfloat16: dnnl_bf16
        }
    }
}

/// A memory object of oneDNN; owns the object, not the numbers.
final class OneDNNMemory {
    let handle: dnnl_memory_t

    /// A memory object without numbers yet.
    init(_ layout: deepfgs_layout_t, _ engine: OneDNNEngine) throws(CodecError) {
        var handle: dnnl_memory_t?
        try check(deepfgs_memory_create(&handle, layout, engine.handle), "memory creation")
        guard let handle else { throw .backend(operation: "memory creation", status: 0) }
        self.handle = handle
    }

    deinit { dnnl_memory_destroy(handle) }

    func point(to address: UnsafeMutableRawPointer?) throws(CodecError) {
        try check(dnnl_memory_set_data_handle(handle, address), "memory binding")
    }

    /// The layout; lasts as long as the memory object.
    func layout() throws(CodecError) -> deepfgs_layout_t {
        var layout: deepfgs_layout_t?
        try check(deepfgs_memory_layout(handle, &layout), "query of a memory layout")
        guard let layout else { throw .backend(operation: "query of a memory layout", status: 0) }
        return layout
    }
}
