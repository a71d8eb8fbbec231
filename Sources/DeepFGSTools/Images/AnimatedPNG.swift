import DeepFGS

/// The frames of an animated PNG, laid one over the other as the file says.
///
/// libvips reads still PNG files alone, so each frame is given to it as one. Source: Portable Network Graphics, third
/// edition, sections 11.3.6 and 14.4.
final class AnimatedPNG {
    /// What a frame is and what is done with it.
    private struct Control {
        let width: Int, height: Int, x: Int, y: Int
        /// Seconds, as a fraction.
        let delay: (numerator: Int, denominator: Int)
        /// 0: stays; 1: its place is cleared; 2: what was there before comes back.
        let disposal: Int
        /// Whether it lies over what is there; it replaces it otherwise.
        let isOver: Bool
        var data: [ArraySlice<UInt8>] = []

        init?(_ body: ArraySlice<UInt8>) {
            guard body.count == 26 else { return nil }
            (width, height) = (body.number(4, 4), body.number(8, 4))
            (x, y) = (body.number(12, 4), body.number(16, 4))
            delay = (body.number(20, 2), body.number(22, 2))
            (disposal, isOver) = (body.number(24, 1), body.number(25, 1) == 1)
        }
    }

    let width: Int
    let height: Int
    private let header: ArraySlice<UInt8>
    /// Palette, transparency, colour space: the chunks that go for every frame.
    private let shared: [UInt8]
    private let colour: PNGColour
    private var controls: [Control] = []
    private var canvas: RGBA
    private var index = 0

    /// The animation in a file; nil where the file is a still picture.
    init?(_ chunks: PNGChunks, colour: PNGColour) {
        guard let header = chunks.all.first, header.type == "IHDR", header.body.count == 13,
            chunks.all.prefix(while: { $0.type != "IDAT" }).contains(where: { $0.type == "acTL" })
        else { return nil }
        self.header = header.body
        self.colour = colour
        (width, height) = (header.body.number(0, 4), header.body.number(4, 4))
        canvas = RGBA(width: 0, height: 0)
        var shared: [UInt8] = []
        var isBeforeData = true
        for chunk in chunks.all.dropFirst() {
            switch chunk.type {
            case "acTL", "IEND": break
            case "fcTL":
                guard let control = Control(chunk.body) else { return nil }
                controls.append(control)
            case "IDAT":
                isBeforeData = false
                // Without a control before it, the picture for programs that know no animations is not in it.
                if !controls.isEmpty { controls[controls.count - 1].data.append(chunk.body) }
            case "fdAT": if !controls.isEmpty { controls[controls.count - 1].data.append(chunk.body.dropFirst(4)) }
            case _ where isBeforeData && chunk.type != "eXIf": shared += PNGChunks.bytes(chunk.type, chunk.body)
            default: break
            }
        }
        self.shared = shared
        guard controls.count > 1 else { return nil }
    }

    var count: Int { controls.count }

    /// How long the frame that comes next is shown, in milliseconds.
    var delay: Int {
        let delay = controls[index].delay
        return delay.numerator * 1000 / (delay.denominator == 0 ? 100 : delay.denominator)
    }

    /// The next frame, laid over white; must not be asked for more than `count` times.
    ///
    /// - Throws: `RasterReader.Problem` where it is damaged; it is passed over then.
    func next(strict: Bool) throws(RasterReader.Problem) -> Picture {
        let control = controls[index]
        index += 1
        guard control.width > 0, control.height > 0, control.x <= width - control.width,
            control.y <= height - control.height
        else { throw RasterReader.Problem("a frame lies outside the picture") }
        let size = PNGChunks.bigEndian(control.width) + PNGChunks.bigEndian(control.height)
        let file =
            PNGChunks.signature + PNGChunks.bytes("IHDR", size + header.dropFirst(8)) + shared
            + control.data.flatMap { PNGChunks.bytes("IDAT", $0) } + PNGChunks.bytes("IEND", [])
        let reader = try RasterReader(file, format: .png, strict: strict, pngColour: colour)
        guard reader.info.width == control.width, reader.info.height == control.height else {
            throw RasterReader.Problem("a frame is not of the size that it says")
        }
        let pixels = control.width * control.height
        var alpha = [UInt8](repeating: 255, count: pixels)
        let frame = try alpha.withUnsafeMutableBufferPointer { alpha throws(RasterReader.Problem) in
            try reader.pixels(page: 0, alpha: alpha.baseAddress)
        }

        if canvas.width == 0 { canvas = RGBA(width: width, height: height) }
        // The first frame has nothing before it to come back.
        let disposal = control.disposal == 2 && index == 1 ? 1 : control.disposal
        let before = disposal == 2 ? canvas : nil
        canvas.draw(frame, alpha, x: control.x, y: control.y, over: control.isOver)
        let picture = canvas.overWhite
        if let before { canvas = before }
        if disposal == 1 { canvas.clear(x: control.x, y: control.y, width: control.width, height: control.height) }
        return picture
    }
}

/// Pixels with opacity: R G B A, not multiplied.
private struct RGBA {
    let width: Int
    let height: Int
    private var bytes: [UInt8]

    /// A transparent picture.
    init(width: Int, height: Int) {
        (self.width, self.height) = (width, height)
        bytes = [UInt8](repeating: 0, count: 4 * width * height)
    }

    /// Lays a picture over this one, or puts it in its place; it must fit.
    mutating func draw(_ picture: Picture, _ alpha: [UInt8], x: Int, y: Int, over: Bool) {
        for row in 0..<picture.height {
            for column in 0..<picture.width {
                let from = row * picture.width + column
                let to = 4 * ((y + row) * width + x + column)
                let (front, back) = (Int(alpha[from]), Int(bytes[to + 3]))
                guard over, front < 255, back > 0 else {
                    for band in 0..<3 { bytes[to + band] = picture.pixels[3 * from + band] }
                    bytes[to + 3] = alpha[from]
                    continue
                }
                // Opacities times 255, so that nothing is rounded twice.
                let behind = back * (255 - front)
                let sum = front * 255 + behind
                for band in 0..<3 {
                    let value = Int(picture.pixels[3 * from + band]) * front * 255 + Int(bytes[to + band]) * behind
                    bytes[to + band] = UInt8(truncatingIfNeeded: (value + sum / 2) / sum)
                }
                bytes[to + 3] = UInt8(truncatingIfNeeded: (sum + 127) / 255)
            }
        }
    }

    mutating func clear(x: Int, y: Int, width: Int, height: Int) {
        for row in y..<(y + height) {
            for at in (4 * (row * self.width + x))..<(4 * (row * self.width + x + width)) { bytes[at] = 0 }
        }
    }

    var overWhite: Picture {
        var picture = Picture(width: width, height: height)
        for pixel in 0..<(width * height) {
            let alpha = Int(bytes[4 * pixel + 3])
            for band in 0..<3 {
                let value = Int(bytes[4 * pixel + band]) * alpha + 255 * (255 - alpha)
                picture.pixels[3 * pixel + band] = UInt8(truncatingIfNeeded: (value + 127) / 255)
            }
        }
        return picture
    }
}
