// Checks, in JavaScript that an old browser understands, what the page needs, and shows a sentence in place of
// the window when something is missing or fails.
(function () {
  "use strict";
  var panel = document.getElementById("start");

  /** Puts a sentence where the window would be; `again` offers to load the page once more. The first one stays. */
  window.modelensFail = function (sentence, again) {
    if (panel.className === "failed") return;
    panel.className = "failed";
    panel.hidden = false;
    panel.setAttribute("role", "alert");
    document.getElementById("said").textContent = sentence;
    document.getElementById("again").hidden = again === false;
  };
  document.getElementById("again").onclick = function () {
    location.reload();
  };
  // Scripts that do not arrive, and words in them that this browser does not know.
  window.addEventListener("error", function (event) {
    var script = event.target && event.target.src;
    if (script) window.modelensFail("A part of the page could not be fetched: " + script.split("/").pop() + ". Check the connection and load the page again.");
    else if (!window.modelens || !window.modelens.drawn) window.modelensFail("The page could not be started: " + event.message + ".");
  }, true);

  /** Whether the browser keeps settings for this page. */
  window.modelensKeeps = function () {
    try {
      localStorage.setItem("modelens", "");
      localStorage.removeItem("modelens");
      return true;
    } catch (error) {
      return false;
    }
  };

  // The least module that uses a 128-bit vector.
  var vector = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];
  function hasVectors() {
    return typeof WebAssembly === "object" && WebAssembly.validate(new Uint8Array(vector));
  }
  function hasModuleWorkers() {
    var asked = false;
    var options = { get type() { asked = true; return "module"; } };
    try {
      var worker = new Worker("data:text/javascript,", options);
      if (worker.terminate) worker.terminate();
    } catch (error) { /* It may refuse the address: whether it asked is what counts. */ }
    return asked;
  }
  function hasWebGl() {
    var context = document.createElement("canvas").getContext("webgl2");
    var lose = context && context.getExtension("WEBGL_lose_context");
    // A browser gives a page few contexts.
    if (lose) lose.loseContext();
    return Boolean(context);
  }

  var old = "This browser is too old for modelens, which needs ";
  var newer = ". Chrome and Edge 91, Firefox 114, Safari 16.4 and later have it.";
  var missing =
    !("noModule" in document.createElement("script")) ? old + "JavaScript modules" + newer :
    typeof WebAssembly !== "object" ? old + "WebAssembly" + newer + " A protected mode of the browser may also have switched it off." :
    !hasVectors() ? old + "128-bit vectors in WebAssembly" + newer :
    !hasModuleWorkers() ? old + "module workers" + newer :
    !hasWebGl() ? "This browser gives the page no WebGL 2, which the window is drawn with. Switch on \u201cUse graphics acceleration when available\u201d in the browser's settings (System) and start the browser again, or try another browser. A computer without a graphics driver, such as a virtual machine, draws with --enable-unsafe-swiftshader." :
    "";
  if (missing) window.modelensFail(missing, false);
  window.modelensMissing = missing;
})();
