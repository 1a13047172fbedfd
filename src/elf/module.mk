libpystoker_a_SOURCES +=
