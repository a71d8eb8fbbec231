import CKernels

/// The networks between pixels and latents, whatever they are made of: floats or integers.
///
/// One instance works on pictures of one size. `quantise` and `write` are called for bands of rows on several threads at
/// once; everything else by one thread at a time.
protocol Transforms: AnyObject {
    /// Measures conversion and analysis where it is set.
    var times: StageTimes? { get set }

    /// Computes the features, `y_b` and the symbols of `z` of a picture.
    ///
    /// - Parameters:
    ///   - picture: The picture, of the networks' size.
    ///   - hyper: Receives the symbols of `z`, planar.
    /// - Throws: `CodecError.backend`.
    func analyse(_ picture: RawPicture, hyper: UnsafeMutablePointer<Int16>) throws(CodecError)

    /// Computes `y_s` from the features and the basic latents that were written.
    func analyseScalable() throws(CodecError)

    /// Makes symbols of some positions of one row of a slice: `(16 y − M) / step`, rounded, at most
    /// `RangeCoder.symbolLimit` in magnitude.
    ///
    /// - Parameters:
    ///   - slice: The slice.
    ///   - positions: Of the row.
    ///   - columns: Which of them; the symbols of the others stay.
    ///   - step: The quantiser's.
    ///   - means: `M` of the positions, `[positions][n_i]`.
    ///   - symbols: Receives the symbols, a channel every `plane` numbers.
    ///   - plane: Positions of the grid.
    func quantise(
        slice: Int, positions: Range<Int>, columns: DeepFGSColumns, step: Int, means: UnsafePointer<Int16>,
        symbols: UnsafeMutablePointer<Int16>, plane: Int)

    /// Takes the reconstructed latents of some positions of a slice: `Y`, 16ths, `[positions][n_i]`.
    func write(_ latents: UnsafePointer<Int32>, slice: Int, positions: Range<Int>)

    /// Computes the picture of the latents that were written.
    ///
    /// - Parameter picture: Receives it; of the networks' size.
    /// - Throws: `CodecError.backend`.
    func synthesise(into picture: RawPicture) throws(CodecError)
}

/// Where the channels of a slice stand among those of the transforms.
struct SliceChannels: Hashable, Sendable {
    let count: Int
    let isBasic: Bool
    /// The first channel in `y`, and in `y_b` or `y_s`.
    let first: Int, firstOfPart: Int

    /// Those of all slices of a model.
    static func all(_ configuration: ModelConfiguration) -> [SliceChannels] {
        var first = 0
        return configuration.slices.enumerated().map { index, count in
            defer { first += count }
            let isBasic = index < configuration.basicSlices
            return SliceChannels(
                count: count, isBasic: isBasic, first: first,
                firstOfPart: isBasic ? first : first - configuration.basicChannels)
        }
    }
}
