/// Colours of the charts. Those of series are Okabe and Ito's (2008), which colour-blind readers tell apart, the two
/// lightest darkened for thin lines on a light ground.
public enum Palette {
  /// The background.
  public static let paper = "#ffffff"
  /// Titles and labels.
  public static let ink = "#1f2328"
  /// Ticks, subtitles and notes.
  public static let faint = "#59636e"
  /// Grid lines.
  public static let grid = "#e4e7eb"
  /// Axis lines.
  public static let axis = "#9aa3ad"

  /// Of series, neighbours in pairs of a dark and a lighter one.
  public static let series = ["#0072b2", "#3fa7dd", "#d55e00", "#d99000", "#009e73", "#5fb89c", "#a85a8a", "#cc79a7"]

  /// The colour of the series with this index.
  public static func color(_ index: Int) -> String { series[index % series.count] }

  /// Dashes of lines that share a colour, the solid one first.
  public static let dashes: [String?] = [nil, "7 5", "2 4", "10 4 2 4"]
}
