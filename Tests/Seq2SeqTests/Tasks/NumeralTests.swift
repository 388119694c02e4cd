import Foundation
import Seq2Seq
import Testing

@Suite struct NumeralTests {
  @Test(arguments: [
    (0, "零", "zero"), (5, "五", "five"), (10, "十", "ten"), (14, "十四", "fourteen"), (20, "二十", "twenty"),
    (101, "一百零一", "one hundred and one"), (110, "一百一十", "one hundred and ten"),
    (1001, "一千零一", "one thousand and one"), (1010, "一千零一十", "one thousand and ten"),
    (1100, "一千一百", "one thousand one hundred"), (10_000, "一万", "ten thousand"),
    (32_050, "三万二千零五十", "thirty-two thousand and fifty"), (100_100, "十万零一百", "one hundred thousand one hundred"),
    (101_000, "十万一千", "one hundred and one thousand"),
    (120_305, "十二万零三百零五", "one hundred and twenty thousand three hundred and five"),
    (10_000_001, "一千万零一", "ten million and one"),
    (
      99_999_999, "九千九百九十九万九千九百九十九",
      "ninety-nine million nine hundred and ninety-nine thousand nine hundred and ninety-nine"
    ),
    (100_000_000, "一亿", "one hundred million"), (101_000_000, "一亿零一百万", "one hundred and one million"),
    (110_000_000, "一亿一千万", "one hundred and ten million"), (100_000_007, "一亿零七", "one hundred million and seven"),
    (1_000_000_000_000, "一万亿", "one trillion"),
  ])
  func written(number: Int, chinese: String, english: String) {
    #expect(ChineseNumeral.text(of: number) == chinese)
    #expect(EnglishNumeral.text(of: number) == english)
  }

  @Test(arguments: [
    (2, "二"), (12, "十二"), (20, "二十"), (200, "两百"), (222, "两百二十二"), (2222, "两千两百二十二"), (20_000, "两万"),
    (22_000, "两万两千"), (120_000, "十二万"), (1_020_000, "一百零二万"), (2_000_000, "两百万"), (200_000_002, "两亿零二"),
  ])
  func colloquial(number: Int, chinese: String) {
    #expect(ChineseNumeral.text(of: number, colloquial: true) == chinese)
  }

  /// Reads a Chinese numeral by its units, without the rules by which it was written.
  private func value(chinese text: String) -> Int? {
    let digits: [Character: Int] = [
      "零": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9,
    ]
    let units: [Character: Int] = ["十": 10, "百": 100, "千": 1000]
    var (total, section, digit): (Int, Int, Int?) = (0, 0, nil)
    for character in text {
      if let value = digits[character] {
        digit = value
      } else if let unit = units[character] {
        section += (digit ?? 1) * unit
        digit = nil
      } else if character == "万" {
        total += (section + (digit ?? 0)) * 10_000
        (section, digit) = (0, nil)
      } else if character == "亿" {
        total = (total + section + (digit ?? 0)) * 100_000_000
        (section, digit) = (0, nil)
      } else {
        return nil
      }
    }
    return total + section + (digit ?? 0)
  }

  private func value(english text: String) -> Int? {
    let formatter = [
      "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
      "thirteen",
      "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
    ]
    let tens = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
    let units = ["thousand": 1000, "million": 1_000_000, "billion": 1_000_000_000, "trillion": 1_000_000_000_000]
    var (total, group) = (0, 0)
    for word in text.split(whereSeparator: { $0 == " " || $0 == "-" }).map(String.init) where word != "and" {
      if let small = formatter.firstIndex(of: word) {
        group += small
      } else if let ten = tens.firstIndex(of: word) {
        group += 10 * (ten + 2)
      } else if word == "hundred" {
        group *= 100
      } else if let unit = units[word] {
        total += group * unit
        group = 0
      } else {
        return nil
      }
    }
    return total + group
  }

  @Test func bothReadBack() {
    var generator = SeededGenerator(seed: 3)
    let random = (0..<4000).map { _ in
      let bound = [10_000, 1_000_000, 100_000_000, 1_000_000_000_000, 999_999_999_999_999].randomElement(
        using: &generator)!
      let number = Int.random(in: 0...bound, using: &generator)
      let unit = [1, 10, 100, 1000, 10_000, 1_000_000].randomElement(using: &generator)!
      return number / unit * unit
    }
    for number in Array(0...3000) + random {
      let english = EnglishNumeral.text(of: number)
      if value(english: english) != number { Issue.record("seed 3: \(number): \(english)") }
      for colloquial in [false, true] {
        let chinese = ChineseNumeral.text(of: number, colloquial: colloquial)
        if value(chinese: chinese) != number { Issue.record("seed 3: \(number): \(chinese)") }
        if chinese.contains("零零") || (number > 0 && chinese.hasSuffix("零")) { Issue.record("\(number): \(chinese)") }
      }
    }
  }

  /// Foundation spells numbers as well, without "and".
  #if canImport(Darwin)
    @Test func foundationAgrees() {
      let formatter = NumberFormatter()
      formatter.locale = Locale(identifier: "en_US")
      formatter.numberStyle = .spellOut
      for number in [0, 13, 101, 32_050, 99_999_999] {
        #expect(formatter.string(for: number) == EnglishNumeral.text(of: number).replacing(" and ", with: " "))
      }
    }
  #endif

  @Test func taskPairsMeanTheSameNumber() throws {
    let split = NumeralsTask().split(training: 3000, validation: 200, test: 300, seed: 7)
    #expect(split.training.count == 3000 && split.validation.count == 200 && split.test.count == 300)
    let pairs = split.training.pairs + split.validation.pairs + split.test.pairs
    let numbers = pairs.map { value(chinese: $0.source) }
    #expect(numbers == pairs.map { value(english: $0.target) } && !numbers.contains(nil))
    #expect(Set(numbers).count == 3500 && numbers.allSatisfy { 0...99_999_999 ~= $0! })
    #expect(Set(numbers[..<3000]).isSuperset(of: (0..<100).map { $0 }))
    for digits in 3...8 {
      let count = numbers.count { String($0!).count == digits }
      #expect(count > 300, "\(count) numbers of \(digits) digits")
    }
    #expect(
      pairs.contains { $0.source.contains("两") }
        && pairs.contains { $0.source.contains("二万") || $0.source.contains("二千") })
  }
}
