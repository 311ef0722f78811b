# The emulator of the receiver.  It has a signature check of its own, so that
# it and the protocol shelf cannot be wrong together.
add_executable(monspool-receiver receiver.c receiver_check.c receiver_code.c
  receiver_exchange.c receiver_http.c receiver_known.c receiver_listen.c
  receiver_mishap.c receiver_options.c receiver_outcome.c receiver_pace.c
  receiver_record.c receiver_reply.c receiver_request.c receiver_script.c receiver_sign.c
  receiver_spec.c jsonline.c options.c output.c)
target_link_libraries(monspool-receiver PRIVATE house base
  PkgConfig::microhttpd PkgConfig::crypto PkgConfig::cjson)
