# libmonspool: the C API for writers.  It needs SQLite, cJSON, libc and libm;
# what else the shelves use is left behind by the linker, as nothing here
# refers to it.
set(LIBRARY_MAP ${CMAKE_CURRENT_LIST_DIR}/monspool.map)

set(LIBRARY_SOURCES spool/monspool.c spool/capi_error.c spool/capi_metric.c
  spool/capi_put.c spool/capi_outbox.c)
add_library(monspool_shared SHARED ${LIBRARY_SOURCES})
target_link_libraries(monspool_shared PRIVATE house queue base)
target_include_directories(monspool_shared PUBLIC
  $<BUILD_INTERFACE:${CMAKE_CURRENT_LIST_DIR}> $<INSTALL_INTERFACE:include>)
target_link_options(monspool_shared PRIVATE
  -Wl,--version-script=${LIBRARY_MAP} -Wl,--no-undefined-version)
set_target_properties(monspool_shared PROPERTIES OUTPUT_NAME monspool
  VERSION ${PROJECT_VERSION} SOVERSION 0 LINK_DEPENDS ${LIBRARY_MAP})

# The static library is one object whose only names are msp_*: those of the
# shelves (text_add, lane_list, ...) would meet the user's own.
add_library(capi STATIC ${LIBRARY_SOURCES})
target_link_libraries(capi PUBLIC queue base PRIVATE house)
target_include_directories(capi PUBLIC ${CMAKE_CURRENT_LIST_DIR}) # tests
set(LIBRARY_OBJECT ${PROJECT_BINARY_DIR}/monspool_static.o)
add_custom_command(OUTPUT ${LIBRARY_OBJECT}
  COMMAND ${CMAKE_LINKER} -r -o ${LIBRARY_OBJECT}
    --whole-archive $<TARGET_FILE:capi> --no-whole-archive
    $<TARGET_FILE:queue> $<TARGET_FILE:base>
  COMMAND ${CMAKE_OBJCOPY} --localize-hidden ${LIBRARY_OBJECT}
  DEPENDS capi queue base
  COMMENT "Joining libmonspool.a" VERBATIM)
add_library(monspool_static STATIC ${LIBRARY_OBJECT})
set_target_properties(monspool_static PROPERTIES OUTPUT_NAME monspool
  LINKER_LANGUAGE C)
target_include_directories(monspool_static PUBLIC
  $<BUILD_INTERFACE:${CMAKE_CURRENT_LIST_DIR}> $<INSTALL_INTERFACE:include>)
target_link_libraries(monspool_static INTERFACE sqlite3 cjson m)

configure_file(${CMAKE_CURRENT_LIST_DIR}/monspool.pc.in
  ${PROJECT_BINARY_DIR}/monspool.pc @ONLY)
install(TARGETS monspool_shared monspool_static
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES spool/monspool.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${PROJECT_BINARY_DIR}/monspool.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
