import BenchmarkSupport
import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite struct FigureTests {
  @Test func isWellFormedWhateverTheLabels() {
    let document = XMLDocumentParts(figure(label: "a < b & \"c\"", direct: false))
    #expect(document.isWellFormed)
    #expect(document.texts.contains("a < b & \"c\""))
    #expect(document.texts.contains("title"))
  }

  @Test(arguments: [false, true])
  func everythingLiesInsideThePage(direct: Bool) {
    let document = XMLDocumentParts(figure(label: "line", direct: direct))
    #expect(document.isWellFormed)
    #expect(document.names.filter { $0 == "polyline" }.count == 2)
    for (x, y) in document.points {
      #expect((0...1200).contains(x) && (0...760).contains(y), "(\(x), \(y))")
    }
  }

  @Test func lengthsAreNamedOnTheirAxis() {
    let texts = XMLDocumentParts(figure(label: "line", direct: false)).texts
    for length in ["512", "2048", "65,536"] { #expect(texts.contains(length)) }
  }

  @Test func aFigureWithoutMeasurementsIsStillAFigure() {
    let panel = Panel(
      title: "empty", x: .lengths([512]), y: .fromZero(title: "y", to: 0) { "\($0)" },
      series: [Series(label: "none", style: .init(color: "#000"), points: [])])
    #expect(XMLDocumentParts(Figure(title: "t", subtitles: [], panels: [panel]).svg).isWellFormed)
  }

  private func figure(label: String, direct: Bool) -> String {
    let lengths = [512, 2048, 65536]
    let series = (1...2).map { index in
      Series(
        label: index == 1 ? label : "other", style: .init(color: Palette.color(index)),
        points: lengths.map { .init(x: Double($0), y: 30 * Double(index), spread: 20.0...70.0) })
    }
    let panel = Panel(
      title: "panel", x: .lengths(lengths), y: .fromZero(title: "share", to: 100) { "\(Int($0)) %" }, series: series,
      guides: [.init(label: "limit", from: (512, 10), to: (65536, 90))], hasDirectLabels: direct)
    return Figure(title: "title", subtitles: ["subtitle"], panels: [panel], notes: ["note"]).svg
  }
}

/// What a parser finds in an SVG file.
private final class XMLDocumentParts: NSObject, XMLParserDelegate {
  private(set) var isWellFormed = false
  private(set) var names: [String] = []
  private(set) var points: [(Double, Double)] = []
  private(set) var texts: [String] = []
  private var text = ""

  init(_ document: String) {
    super.init()
    let parser = XMLParser(data: Data(document.utf8))
    parser.delegate = self
    isWellFormed = parser.parse()
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) {
    names.append(name)
    text = ""
    for (x, y) in [("x", "y"), ("x1", "y1"), ("x2", "y2"), ("cx", "cy")] {
      guard let x = attributes[x].flatMap(Double.init), let y = attributes[y].flatMap(Double.init) else { continue }
      points.append((x, y))
    }
  }

  func parser(_ parser: XMLParser, foundCharacters characters: String) { text += characters }

  func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
    if name == "text" { texts.append(text) }
  }
}
