import BenchmarkSupport
import Testing

@Suite struct TextTests {
  @Test func numbers() {
    #expect(NumberText.significant(123.456) == "123")
    #expect(NumberText.significant(1.23456) == "1.23")
    #expect(NumberText.significant(0.0123456) == "0.0123")
    #expect(NumberText.significant(98765.4) == "98765")
    #expect(NumberText.round(2.5) == "2.5")
    #expect(NumberText.round(40) == "40")
    #expect(NumberText.grouped(512) == "512")
    #expect(NumberText.grouped(8192) == "8192")
    #expect(NumberText.grouped(65536) == "65,536")
    #expect(NumberText.grouped(-1_234_567) == "-1,234,567")
    #expect(NumberText.time(0.0000123) == "12.3 µs")
    #expect(NumberText.time(0.0123) == "12.3 ms")
    #expect(NumberText.time(12.3) == "12.3 s")
  }

  @Test func lists() {
    #expect(NumberList(text: "1,2,64")?.values == [1, 2, 64])
    #expect(NumberList(text: "2,2")?.values == [2])
    for wrong in ["", "1,", "0", "-1", "a", "1 2"] { #expect(NumberList(text: wrong) == nil, "\(wrong)") }
    #expect(NumberList.powersOfTwo(upTo: 1).values == [1])
    #expect(NumberList.powersOfTwo(upTo: 2).values == [1, 2])
    #expect(NumberList.powersOfTwo(upTo: 12).values == [1, 2, 4, 8, 12])
  }

  @Test func columnsAlign() {
    let table = TextTable([.init("S", width: 6), .init("mask", side: .left), .init("time")])
    #expect(
      table.header + "\n" + table.line(["512", "full", "1 s"])
        == "     S  mask  time\n──────  ────  ────\n   512  full   1 s")
  }
}
