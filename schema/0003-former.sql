-- monspool queue, schema 3: the ids that a replayed row had.
--
-- A replay gives a row a new id, but its requests were written down under the
-- one that it had.  origin keeps the first, for all to see; here are all of
-- them, so that the history of a row is whole however often it was replayed.
-- They go with the row, pending or dead, as its origin does.
CREATE TABLE former (
  row_id  INTEGER NOT NULL,                 -- its present id
  id      INTEGER NOT NULL,                 -- one that it had
  lane_id INTEGER NOT NULL,                 -- whose requests carried it then
  PRIMARY KEY (row_id, id)
) WITHOUT ROWID;

-- Of rows that were replayed before, the first id is known; an edit may have
-- given them another lane since.
INSERT INTO former (row_id, id, lane_id)
  SELECT origin.id, origin.origin_id, coalesce(
    (SELECT series.lane_id FROM edit JOIN series ON series.id = edit.series_id
      WHERE edit.row_id = origin.id ORDER BY edit.id LIMIT 1),
    (SELECT series.lane_id FROM dead_letter
      JOIN series ON series.id = dead_letter.series_id
      WHERE dead_letter.id = origin.id),
    (SELECT metric.lane_id FROM lane JOIN metric ON metric.lane_id = lane.id
      AND metric.id = origin.id), 0)
  FROM origin;
