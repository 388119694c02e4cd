import Foundation
import Testing

@testable import AttentionPictures

@Suite struct SVGTests {
  static let hostile = ["<b>&\"'", "]]>", "\u{0}\u{FFFE}", "\u{1B}[0m", "👩‍🚀", "&amp;", " "]

  @Test func aHeatMap() throws {
    let svg = XMLElements(TerminalHeatMapTests.sentence.svgHeatMap())
    let tooltips = svg.named("title").map(\.text)
    #expect(tooltips[0] == "我爱中国")
    #expect(
      tooltips[1...] == [
        "我 → 我: 0.7000", "我 → 爱: 0.2000", "我 → 中国: 0.1000", "爱 → 我: 0.1500", "爱 → 爱: 0.3500", "爱 → 中国: 0.5000",
        "中国 → 我: 0.0500", "中国 → 爱: 0.3000", "中国 → 中国: 0.6500",
      ])
    let texts = svg.named("text").map(\.text)
    for text in ["0.70", "0.35", "0.05", "我", "爱", "中国", "0", "0.35", "0.7", "weight"] { #expect(texts.contains(text)) }
    // The strongest cell has the darkest colour of the scale and light text.
    #expect(svg.named("rect").contains { $0.attributes["fill"] == ColourScale.onLight[1].hex })
    #expect(svg.named("text").first { $0.text == "0.70" }?.attributes["fill"] == "#ffffff")
    #expect(svg.named("text").first { $0.text == "0.10" }?.attributes["fill"] == "#000000")
  }

  /// Everything lies within the picture, whatever the labels: text by its estimated width.
  @Test(arguments: [(1, 1), (2, 3), (5, 40), (40, 5), (64, 64), (1, 300)])
  func withinThePicture(queries: Int, keys: Int) throws {
    for label in ["x", "中国", "a rather long label that will have to be cut somewhere"] {
      let matrix = WeightMatrix(
        (0..<queries * keys).map { Float($0 % 5) / 4 }, queries: queries, keys: keys,
        queryLabels: [String](repeating: label, count: queries), keyLabels: [String](repeating: label, count: keys),
        title: label)
      for document in [matrix.svgHeatMap(), matrix.svgBars(query: 0)] {
        let svg = XMLElements(document)
        let width = try #require(Double(svg.all[0].attributes["width"]!))
        let height = try #require(Double(svg.all[0].attributes["height"]!))
        for element in svg.named("rect").dropFirst() where element.attributes["x"] != nil {
          let (x, y) = (Double(element.attributes["x"]!)!, Double(element.attributes["y"]!)!)
          #expect(x >= 0 && y >= 0 && x + Double(element.attributes["width"]!)! <= width)
          #expect(y + Double(element.attributes["height"]!)! <= height)
        }
        for element in svg.named("text") {
          let (x, y) = (Double(element.attributes["x"]!)!, Double(element.attributes["y"]!)!)
          let length = SVGDrawing.width(of: element.text, size: Double(element.attributes["font-size"]!)!)
          let start: Double =
            switch element.attributes["text-anchor"] {
            case "end": length
            case "middle": length / 2
            default: 0
            }
          let turn = element.attributes["transform"].map { Double($0.dropFirst(7).split(separator: " ")[0])! } ?? 0
          let (dx, dy) = (cos(turn * .pi / 180), sin(turn * .pi / 180))
          for end in [-start, length - start] {
            #expect(0...width ~= x + end * dx && 0...height ~= y + end * dy, "\(element.text) at \(x), \(y)")
          }
        }
      }
    }
  }

  @Test func hostileLabels() {
    let matrix = WeightMatrix(
      [Float](repeating: 0.5, count: 49), queries: 7, keys: 7, queryLabels: Self.hostile, keyLabels: Self.hostile,
      title: "<script>\u{1}")
    let svg = XMLElements(matrix.svgHeatMap())
    let tooltips = svg.named("title").map(\.text)
    #expect(tooltips[0] == #"<script>\u{1}"#)
    #expect(tooltips.contains(#"<b>&"' → ]]>: 0.5000"#))
    #expect(tooltips.contains(#"\u{0}\u{fffe} → &amp;: 0.5000"#))
    #expect(svg.named("script").isEmpty && svg.named("b").isEmpty)
    #expect(XMLElements(matrix.svgBars(query: 0)).named("title").map(\.text).contains("]]>: 0.5000"))
  }

  @Test func whatIsNotFinite() {
    let matrix = WeightMatrix([.nan, 0.5, -.infinity, .infinity], queries: 2, keys: 2)
    let svg = XMLElements(matrix.svgHeatMap())
    #expect(svg.named("pattern").count == 1)
    // Three cells and the legend.
    #expect(svg.named("rect").filter { $0.attributes["fill"] == "url(#hatch)" }.count == 4)
    #expect(svg.named("title").map(\.text).contains("0 → 0: nan"))
    #expect(svg.named("text").map(\.text).contains("-inf"))
    #expect(XMLElements(matrix.svgBars(query: 1)).named("text").map(\.text).contains("inf"))
    #expect(XMLElements(WeightMatrix([1], queries: 1, keys: 1).svgHeatMap()).named("pattern").isEmpty)
  }

  @Test func bars() throws {
    let svg = XMLElements(TerminalHeatMapTests.sentence.svgBars(query: 1))
    let bars = svg.named("rect").filter { $0.attributes["height"] == "18" }
    #expect(bars.map { Double($0.attributes["width"]!)! } == [108, 252, 360])
    #expect(svg.named("text").map(\.text).suffix(6) == ["我", "0.1500", "爱", "0.3500", "中国", "0.5000"])
    #expect(svg.named("title")[0].text == "我爱中国, query 爱")
  }

  @Test func nothing() {
    let svg = XMLElements(WeightMatrix([], queries: 3, keys: 0).svgHeatMap())
    #expect(svg.named("text").map(\.text) == ["nothing to draw: 3 queries × 0 keys"])
    _ = XMLElements(WeightMatrix([], queries: 3, keys: 0).svgBars(query: 0))
  }

  /// Nothing is loaded from elsewhere.
  @Test func selfContained() {
    let document = TerminalHeatMapTests.sentence.svgHeatMap()
    #expect(document.matches(of: /https?:/).count == 1 && document.contains("xmlns=\"http://www.w3.org/2000/svg\""))
    #expect(!document.contains("<script") && !document.contains("<image") && !document.contains("href"))
  }
}
