# The forwarder: the only program that reads the key or opens a socket.
add_executable(monspoold monspoold.c monspoold_options.c problems.c
  jsonline.c options.c output.c)
target_link_libraries(monspoold PRIVATE house forward)
install(TARGETS monspoold RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
