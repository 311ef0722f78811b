# embed_schema(VAR): every schema/NNNN-name.sql becomes a row
# { version, "file name", bytes, length } of one generated table, rebuilt when
# a file changes.  Bytes, because C11 promises string literals of 4,095
# characters only.  The path of the generated source goes into ${VAR}.
function(embed_schema var)
  file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/schema/[0-9]*.sql)
  list(SORT files)
  set(out ${PROJECT_BINARY_DIR}/schema_steps.c)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} "-DFILES=${files}"
      -P ${PROJECT_SOURCE_DIR}/schema/embed-run.cmake
    DEPENDS ${files} ${PROJECT_SOURCE_DIR}/schema/embed-run.cmake
    VERBATIM)
  set(${var} ${out} PARENT_SCOPE)
endfunction()
