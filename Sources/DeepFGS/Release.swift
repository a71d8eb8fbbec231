/// Which release of DeepFGS this is.
public enum Release {
    /// MAJOR.MINOR.PATCH as the file `VERSION` has it; `tools/version write` puts it here.
    ///
    /// Not to be confused with `FrameHeader.version`, that of the bitstream.
    public static let version = "0.2.0"
}
