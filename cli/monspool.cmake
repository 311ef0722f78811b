add_executable(monspool monspool.c cli.c options.c table.c
  lines.c filter.c selection.c
  put_one.c put_many.c cmd_put.c cmd_init.c
  cmd_status.c status_view.c status_json.c status_text.c
  lanes.c hold_print.c hold_change.c cmd_hold.c
  cmd_list.c show_row.c cmd_show.c dead_filter.c dead_pick.c dead_work.c confirm.c
  export_file.c cmd_dead.c cmd_dead_list.c cmd_dead_export.c cmd_dead_purge.c
  dead_replay.c dead_replay_plan.c cmd_dead_replay.c dead_changes.c dead_edit.c cmd_dead_edit.c
  look_alike.c suggestion.c cmd_dead_explain.c dead_import.c dead_import_store.c cmd_dead_import.c cmd_explain.c cmd_audit.c problems.c sheet.c cmd_config.c
  cmd_exec.c cmd_help.c demo.c demo_rows.c demo_repair.c cmd_demo.c)
target_link_libraries(monspool PRIVATE house base queue protocol PkgConfig::smartcols)
target_sources(monspool PRIVATE config_text.c cmd_config_show.c
  cmd_config_init.c cmd_config_explain.c)
install(TARGETS monspool RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
