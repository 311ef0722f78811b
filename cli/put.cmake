# From input to rows that are staged: a library of its own, so that tests and
# fuzzers are linked to what runs.
find_library(CSV_LIBRARY csv REQUIRED)
find_path(CSV_INCLUDE csv.h REQUIRED)
add_library(reading STATIC output.c jsonline.c progress.c arena.c input.c row.c
  row_dimensions.c import.c newfile.c rejects.c stop.c decimal.c scan.c influx_map.c
  api_body.c csv_record.c csv_header.c read_ndjson.c read_api.c read_csv.c read_influx.c read_prom.c)
target_include_directories(reading PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_include_directories(reading SYSTEM PUBLIC ${CSV_INCLUDE})
target_link_libraries(reading PUBLIC queue base ${CSV_LIBRARY} PRIVATE house)

target_sources(monspool PRIVATE put_options.c put_check.c chunks.c child.c cmd_run.c)
target_link_libraries(monspool PRIVATE reading)
