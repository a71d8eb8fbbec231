import CImageFormats
import DeepFGS

func decodePNG(_ bytes: [UInt8], fail: FailureMaker, check: SizeCheck) throws(Failure) -> LoadedPicture {
    // IHDR comes first and says the size; libpng itself refuses a zero without saying so plainly.
    guard bytes.count >= 24 else { throw fail("the file ends inside its header") }
    func uint32(at offset: Int) -> Int { bytes[offset..<(offset + 4)].reduce(0) { $0 << 8 | Int($1) } }
    try check(uint32(at: 16), uint32(at: 20))

    var image = png_rgb_image()
    defer { png_image_free(&image) }
    var pixels: [UInt8] = []
    let done = bytes.withUnsafeBytes { file -> Bool in
        guard png_image_begin_read_from_memory(&image, file.baseAddress, file.count) != 0 else { return false }
        image.format = png_rgb_image().format
        pixels = [UInt8](repeating: 0, count: 3 * Int(image.width) * Int(image.height))
        var white = png_color(red: 255, green: 255, blue: 255)
        return png_image_finish_read(&image, &white, &pixels, 0, nil) != 0
    }
    let message = String(cString: png_rgb_message(&image))
    guard done, png_rgb_failed(&image) == 0 else {
        throw fail(message == "read beyond end of data" ? "the file is cut short" : message)
    }
    return LoadedPicture(
        picture: Picture(width: Int(image.width), height: Int(image.height), pixels: pixels),
        warnings: message.isEmpty ? [] : [message])
}

/// Encodes a picture as an 8-bit sRGB PNG file.
///
/// - Throws: `Failure` with `.software` where libpng refuses.
public func encodePNG(_ picture: Picture) throws(Failure) -> [UInt8] {
    var image = png_rgb_image()
    defer { png_image_free(&image) }
    image.width = UInt32(picture.width)
    image.height = UInt32(picture.height)
    var size = png_rgb_size_bound(&image)
    var done = false
    let file = [UInt8](unsafeUninitializedCapacity: size) { memory, count in
        done = png_image_write_to_memory(&image, memory.baseAddress, &size, 0, picture.pixels, 0, nil) != 0
        count = done ? Int(size) : 0
    }
    guard done else { throw Failure(.software, nil, "PNG: " + String(cString: png_rgb_message(&image))) }
    return file
}
