import CImageFormats
import DeepFGS

func decodeJPEG(_ bytes: [UInt8], fail: FailureMaker, check: SizeCheck) throws(Failure) -> LoadedPicture {
    guard let decompressor = tjInitDecompress() else { throw fail("no memory for its decoder") }
    defer { tjDestroy(decompressor) }
    var width: Int32 = 0
    var height: Int32 = 0
    var subsampling: Int32 = 0
    var colours: Int32 = 0
    let length = UInt(bytes.count)
    func message() -> String { String(cString: tjGetErrorStr2(decompressor)) }
    guard tjDecompressHeader3(decompressor, bytes, length, &width, &height, &subsampling, &colours) == 0 else {
        throw fail(message())
    }
    try check(Int(width), Int(height))
    guard colours != Int32(TJCS_CMYK.rawValue), colours != Int32(TJCS_YCCK.rawValue) else {
        throw fail("CMYK pictures are not supported")
    }

    var picture = Picture(width: Int(width), height: Int(height))
    var warnings: [String] = []
    // A limit of 500 scans, against small progressive files that take minutes.
    let flags = TJFLAG_LIMITSCANS | TJFLAG_ACCURATEDCT
    let result = tjDecompress2(
        decompressor, bytes, length, &picture.pixels, width, 0, height, Int32(TJPF_RGB.rawValue), flags)
    if result != 0 {
        let message = message()
        guard tjGetErrorCode(decompressor) == Int32(TJERR_WARNING.rawValue) else { throw fail(message) }
        // The decoder fills what is missing with grey and calls that a warning.
        guard !message.contains("Premature end") else { throw fail("the file is cut short") }
        warnings.append(message)
    }
    return LoadedPicture(picture: picture.turned(by: exifOrientation(inJPEG: bytes)), warnings: warnings)
}
