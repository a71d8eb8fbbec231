import COneDNN

/// Throws where oneDNN says no.
func check(_ status: dnnl_status_t, _ operation: String) throws(CodecError) {
    guard status == dnnl_success else {
        throw .backend(operation: operation, status: Int32(bitPattern: status.rawValue))
    }
}

/// oneDNN's engine, and for each worker a stream and a scratchpad that its primitives share.
///
/// Everything that is specific to oneDNN 2 (its version 3 changed the API) is in the files `OneDNN….swift`. Primitives
/// run on one thread each: the workers are ours (`WorkerPool`), because a team of OpenMP threads waits for its slowest at
/// the end of every layer, and a busy machine always has a slow one.
final class OneDNNContext {
    let engine: dnnl_engine_t
    let workers: Int
    private var streams: [dnnl_stream_t] = []
    /// Working memory of whichever primitive runs; grows while primitives are made, never while they run.
    private var scratchpads: [RawBuffer]

    init(workers: Int) throws(CodecError) {
        var engine: dnnl_engine_t?
        try check(dnnl_engine_create(&engine, dnnl_cpu, 0), "engine creation")
        guard let engine else { throw .backend(operation: "engine creation", status: 0) }
        self.engine = engine
        self.workers = workers
        scratchpads = (0..<workers).map { _ in RawBuffer(count: 0) }
        for _ in 0..<workers {
            var stream: dnnl_stream_t?
            try check(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags.rawValue), "stream creation")
            if let stream { streams.append(stream) }
        }
    }

    deinit {
        for stream in streams { dnnl_stream_destroy(stream) }
        dnnl_engine_destroy(engine)
    }

    func stream(worker: Int) throws(CodecError) -> dnnl_stream_t {
        guard streams.indices.contains(worker) else { throw .backend(operation: "a worker's stream", status: 0) }
        return streams[worker]
    }

    func scratchpad(worker: Int) -> UnsafeMutableRawPointer { scratchpads[worker].start }

    /// Makes every scratchpad at least `size` bytes.
    func reserve(_ size: Int) {
        for worker in scratchpads.indices where size > scratchpads[worker].count {
            scratchpads[worker] = RawBuffer(count: size)
        }
    }

    /// Whether bfloat16 is faster than float32: where the processor has matrix tiles (AMX) for it.
    ///
    /// AVX-512 alone is no reason: a Xeon of 2023 whose tiles are hidden from its guest multiplies bfloat16 at half the
    /// speed of float32.
    static var prefersBFloat16: Bool { has(dnnl_cpu_isa_avx512_core_amx) }

    /// Whether bfloat16 works at all.
    static var supportsBFloat16: Bool { has(dnnl_cpu_isa_avx512_core) }

    private static func has(_ instructions: dnnl_cpu_isa_t) -> Bool {
        dnnl_get_effective_cpu_isa().rawValue & instructions.rawValue == instructions.rawValue
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

    func layout() throws(CodecError) -> UnsafePointer<dnnl_memory_desc_t> {
        var layout: UnsafePointer<dnnl_memory_desc_t>?
        try check(dnnl_memory_get_memory_desc(handle, &layout), "query of a memory layout")
        guard let layout else { throw .backend(operation: "query of a memory layout", status: 0) }
        return layout
    }
}
