/// Where the parts of a heat map lie, in pixels.
struct SVGHeatMapLayout {
  static let margin = 16.0
  static let longestLabel = 160.0
  static let titleSize = 15.0

  /// The side of a cell.
  let cell: Double
  /// Of the labels.
  let fontSize: Double
  /// Every how many rows and columns there is a label.
  let labelStep: Int
  /// Of the key labels: 0, −45 or −90.
  let angle: Double
  let queryLabels, keyLabels: [String]
  /// The corner of the first cell.
  let left, top: Double
  let width, height: Double
  let hasNumbers: Bool
  /// Where the colour bar begins.
  let barTop: Double

  init(_ matrix: WeightMatrix, title: String?) {
    let longer = Double(max(matrix.queries, matrix.keys))
    cell = min(max((900 / longer).rounded(.down), 2), 38)
    fontSize = min(max(cell * 0.62, 9), 13)
    labelStep = Int((max(fontSize + 2, cell) / cell).rounded(.up))
    hasNumbers = cell >= 30
    let size = fontSize
    func shown(_ labels: [String]) -> [String] {
      labels.map { SVGDrawing.cut(LabelText.printable($0), to: Self.longestLabel, size: size) }
    }
    queryLabels = shown(matrix.queryLabels)
    keyLabels = shown(matrix.keyLabels)
    let step = labelStep
    func widest(_ labels: [String]) -> Double {
      stride(from: 0, to: labels.count, by: step).reduce(0) { max($0, SVGDrawing.width(of: labels[$1], size: size)) }
    }
    let (queryWidth, keyWidth) = (widest(queryLabels), widest(keyLabels))
    angle = keyWidth <= cell * Double(labelStep) - 3 ? 0 : labelStep == 1 && cell >= 20 ? -45 : -90
    // How far labels reach above the cells, and beyond the last one to the right.
    let slanted = 0.7072 * (keyWidth + fontSize)
    let rise = angle == 0 ? fontSize + 4 : angle == -45 ? slanted : keyWidth + 4
    let overhang = angle == -45 ? max(slanted - cell / 2, 0) : 0
    let titleHeight = title == nil ? 0 : Self.titleSize + 12
    left = (Self.margin + 20 + queryWidth + 6).rounded(.up)
    top = (Self.margin + titleHeight + 18 + rise).rounded(.up)
    barTop = top + Double(matrix.queries) * cell + 16
    height = barTop + 12 + 16 + Self.margin
    let titleWidth = title.map { SVGDrawing.width(of: $0, size: Self.titleSize) * 1.05 } ?? 0
    width =
      (max(left + max(Double(matrix.keys) * cell + overhang, Self.barWidth + 110), Self.margin + min(titleWidth, 900))
      + Self.margin).rounded(.up)
  }

  static let barWidth = 160.0
}
