# libmonspool: the C API for writers.  It needs SQLite, cJSON, libc and libm;
# what else the shelves use is left behind by the linker, as nothing here
# refers to it.
set(LIBRARY_MAP ${CMAKE_CURRENT_LIST_DIR}/monspool.map)

set(LIBRARY_SOURCES spool/monspool.c spool/capi_error.c spool/capi_metric.c
  spool/capi_put.c spool/capi_batch.c spool/capi_series.c spool/capi_outbox.c)
add_library(monspool_shared SHARED ${LIBRARY_SOURCES})
target_link_libraries(monspool_shared PRIVATE house queue base)
target_include_directories(monspool_shared PUBLIC
  $<BUILD_INTERFACE:${CMAKE_CURRENT_LIST_DIR}> $<INSTALL_INTERFACE:include>)
target_link_options(monspool_shared PRIVATE
  -Wl,--version-script=${LIBRARY_MAP} -Wl,--no-undefined-version)
set_target_properties(monspool_shared PROPERTIES OUTPUT_NAME monspool
  EXPORT_NAME monspool VERSION ${PROJECT_VERSION} SOVERSION 0 LINK_DEPENDS ${LIBRARY_MAP})

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
target_link_libraries(monspool_static INTERFACE
  $<BUILD_INTERFACE:PkgConfig::sqlite> $<BUILD_INTERFACE:PkgConfig::cjson>
  $<INSTALL_INTERFACE:monspool::sqlite3> $<INSTALL_INTERFACE:monspool::cjson>
  m)

# Below the prefix, so that another one can be given.
cmake_path(APPEND LIBRARY_PC_LIBDIR "\${prefix}" ${CMAKE_INSTALL_LIBDIR})
cmake_path(APPEND LIBRARY_PC_INCLUDEDIR
  "\${prefix}" ${CMAKE_INSTALL_INCLUDEDIR})
configure_file(${CMAKE_CURRENT_LIST_DIR}/monspool.pc.in
  ${PROJECT_BINARY_DIR}/monspool.pc @ONLY)
install(TARGETS monspool_shared monspool_static EXPORT monspool
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
install(FILES spool/monspool.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library)
install(FILES ${PROJECT_BINARY_DIR}/monspool.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT library)

# find_package(monspool): monspool::monspool and monspool::monspool_static.
include(CMakePackageConfigHelpers)
set(LIBRARY_PACKAGE ${CMAKE_INSTALL_LIBDIR}/cmake/monspool)
install(EXPORT monspool NAMESPACE monspool:: DESTINATION ${LIBRARY_PACKAGE}
  FILE monspool-targets.cmake COMPONENT library)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/monspool-config.cmake.in
  ${PROJECT_BINARY_DIR}/monspool-config.cmake
  INSTALL_DESTINATION ${LIBRARY_PACKAGE})
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/monspool-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/monspool-config.cmake
  ${PROJECT_BINARY_DIR}/monspool-config-version.cmake
  DESTINATION ${LIBRARY_PACKAGE} COMPONENT library)

find_program(SCDOC scdoc)
if(SCDOC)
  set(LIBRARY_PAGE ${PROJECT_BINARY_DIR}/libmonspool.3)
  add_custom_command(OUTPUT ${LIBRARY_PAGE}
    COMMAND sh -c "\"$1\" <\"$2\" >\"$3\"" scdoc ${SCDOC}
      ${CMAKE_CURRENT_LIST_DIR}/libmonspool.3.scd ${LIBRARY_PAGE}
    DEPENDS ${CMAKE_CURRENT_LIST_DIR}/libmonspool.3.scd VERBATIM)
  add_custom_target(library_page ALL DEPENDS ${LIBRARY_PAGE})
  # and by the name of the header
  file(WRITE ${PROJECT_BINARY_DIR}/monspool.3 ".so man3/libmonspool.3\n")
  install(FILES ${LIBRARY_PAGE} ${PROJECT_BINARY_DIR}/monspool.3
    DESTINATION ${CMAKE_INSTALL_MANDIR}/man3 COMPONENT library)
endif()
