/// The fixed parts of the page.
enum HTMLParts {
  static let body = """
    <p class="controls">
    <label id="layers">Layer <select id="layer"></select></label>
    <label id="heads">Head <select id="head"></select></label>
    <label>Scale <select id="range"><option value="map">of this map</option><option value="all">of all maps</option>\
    </select></label>
    </p>
    <p id="status" role="status" aria-live="polite"></p>
    <div id="picture" tabindex="0" role="application" aria-describedby="status"
      aria-label="Heat map of the weights. Arrow keys move, Enter keeps the choice, Escape clears it.">
    <canvas id="map"></canvas><canvas id="marks"></canvas>
    </div>
    <div class="scale"><span id="low"></span><span id="bar"></span><span id="high"></span></div>
    <h2>Queries</h2>
    <div class="tokens" id="queries"></div>
    <h2>Keys</h2>
    <div class="tokens" id="keys"></div>
    <p class="help">Point at a cell or a token: a query tints the keys by its weights, a key tints the queries. A \
    click keeps the choice, Escape clears it; in the map the arrow keys move.</p>
    """

  static let style = """
    :root { color-scheme: light dark;
      --paper: #fff; --ink: #1a1a1a; --faint: #5c5c5c; --line: #b8b8b8; --mark: #c2410c }
    @media (prefers-color-scheme: dark) {
      :root { --paper: #16181d; --ink: #e8e8e8; --faint: #a3a8b0; --line: #4a4f58; --mark: #ffb074 }
    }
    body { margin: 1.25rem; background: var(--paper); color: var(--ink);
      font: 14px/1.45 system-ui, -apple-system, "Segoe UI", "Noto Sans", "Noto Sans CJK SC", "PingFang SC",
      "Microsoft YaHei", Arial, sans-serif }
    h1 { font-size: 1.2rem; margin: 0 0 .6rem; overflow-wrap: anywhere }
    h2 { font-size: .85rem; font-weight: 600; color: var(--faint); margin: .9rem 0 .25rem }
    .controls { display: flex; flex-wrap: wrap; gap: 1rem; margin: 0 0 .4rem }
    select { font: inherit; padding: .1rem .3rem }
    #status { margin: 0 0 .4rem; min-height: 1.45em; font-variant-numeric: tabular-nums; overflow-wrap: anywhere }
    #picture { position: relative; display: inline-block; max-width: 100%; overflow: auto; cursor: crosshair }
    #picture:focus-visible, .tokens button:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px }
    canvas { display: block }
    #marks { position: absolute; left: 0; top: 0; pointer-events: none }
    .scale { display: flex; align-items: center; gap: .5rem; color: var(--faint); font-variant-numeric: tabular-nums }
    #bar { width: 12rem; height: .8rem; border: 1px solid var(--line) }
    .tokens { display: flex; flex-wrap: wrap; gap: 3px; max-width: 60rem }
    .tokens button { font: inherit; color: inherit; background: none; border: 1px solid var(--line); border-radius: 3px;
      padding: 1px 6px; cursor: pointer; max-width: 20rem; overflow: hidden; text-overflow: ellipsis; white-space: pre }
    .tokens button.chosen { border-color: var(--mark); box-shadow: 0 0 0 1px var(--mark) }
    .help { color: var(--faint); max-width: 60rem }
    """
}
