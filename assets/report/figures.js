(function () {
  "use strict";
  var config = { displaylogo: false, responsive: true, modeBarButtonsToRemove: ["sendChartToCloud"] };
  var places = document.querySelectorAll("[data-figure]");
  places.forEach(function (place) {
    var record = JSON.parse(document.getElementById(place.getAttribute("data-figure")).textContent);
    place.style.height = record.layout.height + "px";
    Plotly.newPlot(place, record.data, record.layout, config);
  });
  window.addEventListener("beforeprint", function () {
    places.forEach(function (place) { Plotly.Plots.resize(place); });
  });
})();
