import COneDNN

/// Throws where oneDNN says no.
func check(_ status: dnnl_status_t, _ operation: String) throws(CodecError) {
    guard status == dnnl_success else {
        throw .backend(operation: operation, status: Int32(bitPattern: status.rawValue))
    }
}

/// oneDNN's engine and stream, and the scratchpad that the primitives of one network share.
///
/// Everything that is specific to oneDNN 2 (its version 3 changed the API) is in this file and its neighbours
/// `OneDNNBackend.swift` and `OneDNNConvolution.swift`.
final class OneDNNContext {
    let engine: dnnl_engine_t
    let stream: dnnl_stream_t
    /// Working memory of whichever primitive runs; grows while primitives are made, never while they run.
    private(set) var scratchpad: RawBuffer?

    init() throws(CodecError) {
        var engine: dnnl_engine_t?
        try check(dnnl_engine_create(&engine, dnnl_cpu, 0), "engine creation")
        guard let engine else { throw .backend(operation: "engine creation", status: 0) }
        var stream: dnnl_stream_t?
        let status = dnnl_stream_create(&stream, engine, dnnl_stream_default_flags.rawValue)
        guard status == dnnl_success, let stream else {
            dnnl_engine_destroy(engine)
            throw .backend(operation: "stream creation", status: Int32(bitPattern: status.rawValue))
        }
        self.engine = engine
        self.stream = stream
    }

    deinit {
        dnnl_stream_destroy(stream)
        dnnl_engine_destroy(engine)
    }

    /// Makes the scratchpad at least `size` bytes.
    func reserve(_ size: Int) {
        if size > scratchpad?.count ?? 0 { scratchpad = RawBuffer(count: size) }
    }

    /// Whether the processor multiplies bfloat16 itself (AVX-512 BF16, or AMX above it).
    static var multipliesBFloat16: Bool {
        let native = dnnl_cpu_isa_avx512_core_bf16.rawValue
        return dnnl_get_effective_cpu_isa().rawValue & native == native
    }
}

/// A memory object of oneDNN; owns the object, not the numbers.
final class OneDNNMemory {
    let handle: dnnl_memory_t

    /// A memory object without numbers yet.
    init(_ descriptor: dnnl_memory_desc_t, _ context: OneDNNContext) throws(CodecError) {
        var descriptor = descriptor
        var handle: dnnl_memory_t?
        // A null pointer is oneDNN's DNNL_MEMORY_NONE.
        try check(dnnl_memory_create(&handle, &descriptor, context.engine, nil), "memory creation")
        guard let handle else { throw .backend(operation: "memory creation", status: 0) }
        self.handle = handle
    }

    deinit { dnnl_memory_destroy(handle) }

    func point(to address: UnsafeMutableRawPointer?) throws(CodecError) {
        try check(dnnl_memory_set_data_handle(handle, address), "memory binding")
    }
}
