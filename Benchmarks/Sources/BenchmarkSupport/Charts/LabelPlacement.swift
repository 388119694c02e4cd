/// Moves places on a line as little as keeps them `distance` apart, in their order.
public func separated(_ places: [Double], by distance: Double) -> [Double] {
  // Runs of places that touch move together, around the mean of where they want to be.
  var runs: [(sum: Double, count: Int)] = []
  func start(_ run: (sum: Double, count: Int)) -> Double {
    run.sum / Double(run.count) - Double(run.count - 1) * distance / 2
  }
  let order = places.indices.sorted { places[$0] < places[$1] }
  for index in order {
    runs.append((places[index], 1))
    while runs.count > 1 {
      let (last, previous) = (runs[runs.count - 1], runs[runs.count - 2])
      guard start(previous) + Double(previous.count) * distance > start(last) else { break }
      runs.removeLast(2)
      runs.append((previous.sum + last.sum, previous.count + last.count))
    }
  }
  var moved = places
  var position = 0
  for run in runs {
    for step in 0..<run.count {
      moved[order[position]] = start(run) + Double(step) * distance
      position += 1
    }
  }
  return moved
}
