"""The words: frozen values, units, errors. No torch here, neither directly nor through others."""
