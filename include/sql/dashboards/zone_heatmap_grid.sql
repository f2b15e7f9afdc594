-- Grain: one row a row of the 10 x 10 grid, top first, one column a cell, left first; all ten
-- rows, whether someone was there or not. Key: zone_y. Source: gold_zone_heatmap. Reads only.
-- Takes in every hour that the chosen time touches.
SELECT
  CAST(grid.zone_y AS VARCHAR) AS zone_y,
  COALESCE(SUM(cells.hits) FILTER (WHERE cells.zone_x = 0), 0) AS x0,
  COALESCE(SUM(cells.hits) FILTER (WHERE cells.zone_x = 1), 0) AS x1,
  COALESCE(SUM(cells.hits) FILTER (WHERE cells.zone_x = 2), 0) AS x2,
  COALESCE(SUM(cells.hits) FILTER (WHERE cells.zone_x = 3), 0) AS x3,
  COALESCE(SUM(cells.hits) FILTER (WHERE cells.zone_x = 4), 0) AS x4,
  COALESCE(SUM(cells.hits) FILTER (WHERE cells.zone_x = 5), 0) AS x5,
  COALESCE(SUM(cells.hits) FILTER (WHERE cells.zone_x = 6), 0) AS x6,
  COALESCE(SUM(cells.hits) FILTER (WHERE cells.zone_x = 7), 0) AS x7,
  COALESCE(SUM(cells.hits) FILTER (WHERE cells.zone_x = 8), 0) AS x8,
  COALESCE(SUM(cells.hits) FILTER (WHERE cells.zone_x = 9), 0) AS x9
FROM UNNEST(SEQUENCE(0, 9)) AS grid (zone_y)
LEFT JOIN (
  SELECT
    zone_x,
    zone_y,
    hits
  FROM lakehouse.rva.gold_zone_heatmap
  WHERE
    ts_hour BETWEEN with_timezone(date_trunc('hour', $__timeFrom()), 'UTC')
      AND with_timezone($__timeTo(), 'UTC')
    AND ('__all' IN ($store) OR store_id IN ($store))
    AND ('__all' IN ($camera) OR camera_id IN ($camera))
) AS cells ON cells.zone_y = grid.zone_y
GROUP BY grid.zone_y
ORDER BY grid.zone_y
