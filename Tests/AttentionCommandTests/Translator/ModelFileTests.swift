import Foundation
import Safetensors
import Testing

/// Files that are no model: status 65 and one line.
@Suite struct ModelFileTests {
  @Test func badModels() throws {
    let translator = try Translator()
    let whole = try bytes(of: translator.model)
    var foreign = SafetensorsWriter()
    try foreign.add("query", [0, 1] as [Float], shape: [2])
    try foreign.write(to: translator.file("foreign"))
    var files = [
      translator.file("missing"), translator.file("foreign"), translator.directory.path,
      try translator.directory.store([], as: "empty"), try translator.directory.store(Array("hello".utf8), as: "text"),
    ]
    for (index, length) in [4, 8, 200, whole.count / 2, whole.count - 1].enumerated() {
      files.append(try translator.directory.store(Array(whole[..<length]), as: "cut\(index)"))
    }
    let pairs = try translator.directory.store(Array("one\t一\n".utf8), as: "pairs.tsv")
    for file in files {
      for arguments in [["translate", file, "三"], ["evaluate", file, "--pairs", pairs]] {
        expectFailure(try attention(arguments), status: 65, naming: [fileName(of: file)])
      }
    }
  }

  private func fileName(of path: String) -> String { String(path.split(separator: "/").last!) }
}
