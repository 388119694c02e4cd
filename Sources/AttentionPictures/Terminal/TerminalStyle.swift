#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// How a picture made of text is drawn.
public struct TerminalStyle: Sendable, Equatable {
  /// The colours that a terminal has.
  public enum Colours: Sendable, Equatable {
    /// None: shading by ░▒▓█.
    case none
    /// The cube of 216 among 256 colours.
    case cube
    /// 24 bits.
    case full
  }

  /// Columns of a picture; at least 24 are used.
  public var width: Int
  /// Rows of weights at most; nil = all. What is left out is said below the picture.
  public var rows: Int?
  /// What to colour with.
  public var colours: Colours

  /// A style of the given width and colours.
  public init(width: Int = 80, rows: Int? = nil, colours: Colours = .none) {
    self.width = width
    self.rows = rows
    self.colours = colours
  }

  /// The style for stdout: in colour on a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`; as wide as the
  /// terminal, else as `COLUMNS` says, else 80.
  public static var standardOutput: TerminalStyle {
    let isTerminal = isatty(1) == 1
    var columns = variable("COLUMNS").flatMap { Int($0) } ?? 80
    var size = winsize()
    if isTerminal, ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { columns = Int(size.ws_col) }
    let plain = !isTerminal || variable("NO_COLOR") != nil || variable("TERM") == "dumb"
    return TerminalStyle(width: columns, colours: plain ? .none : terminalColours)
  }

  /// The colours that the environment promises for a terminal.
  public static var terminalColours: Colours {
    ["truecolor", "24bit"].contains(variable("COLORTERM")) ? .full : .cube
  }

  /// A variable of the environment, nil when it is not set or empty.
  private static func variable(_ name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(cString: value)
  }
}
